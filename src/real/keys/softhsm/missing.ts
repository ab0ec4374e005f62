/** SoftHSM is not there and could not be fetched. `command` gets it. */
export class SoftHsmMissingError extends Error {
  readonly code = "softhsmMissing";
  readonly command: string;

  constructor(why: string, command: string) {
    super(`SoftHSM is not there: ${why}. Run: ${command}`);
    this.name = "SoftHsmMissingError";
    this.command = command;
  }
}
