/** Counts the bytes that a check holds, so that it gives up instead of exhausting the process. */
export class MemoryMeter {
  readonly bytesMax: number;
  bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Takes bytes, or answers false and takes nothing. */
  reserve(bytes: number): boolean {
    if (this.bytes + bytes > this.bytesMax) return false;
    this.bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.bytes -= bytes;
  }
}
