/** A process that writes to the folder it is given, says so once that is synced, and stays for a while. */
import type { DiskResult } from "../../../src/core/ports/disk.js";
import { FolderDisk } from "../../../src/real/disk/folder-disk.js";

const answers = new Map<number, () => void>();
const disk = await FolderDisk.open(process.argv[2]!, {
  diskDone(op: number, { ok }: DiskResult): void {
    if (!ok) throw new Error(`operation ${op} failed`);
    answers.get(op)?.();
  },
});
disk.write(1, "a", 0, Buffer.from("synced"));
disk.sync(2, "a");
disk.syncDirectory(3);
await new Promise<void>((resolve) => answers.set(3, resolve));
process.stdout.write("synced\n");
// Bounded, should nobody be left to end it.
setTimeout(() => {}, 60_000);
