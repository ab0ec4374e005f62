import { codeOf, type FileProblem } from "../sim/search/artifact/json-file.js";
import { exitCode, type ExitCode } from "./exit-codes.js";

/** Something that whoever typed the command can put right. Its message is all that is printed. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;

  constructor(code: ExitCode, message: string) {
    super(message);
    this.exitCode = code;
  }
}

export function usageError(message: string): CliError {
  return new CliError(exitCode.usage, message);
}

export function fileError({ code, path, message }: FileProblem): CliError {
  return new CliError(
    code === "damaged" ? exitCode.damagedFile : exitCode.noFile,
    `cannot read ${path}: ${message}`,
  );
}

/** Does the writing where more is to be said whatever comes of it; null when the system took it. */
export function tryWriting(path: string, write: () => void): CliError | null {
  try {
    writing(path, write);
    return null;
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
}

/** Does the writing; what the system refuses becomes an error that names the path. */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw new CliError(exitCode.cannotWrite, `cannot write ${path} (${codeOf(error)})`);
  }
}
