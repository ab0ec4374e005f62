/** How far a search is, on standard error. */
import ora, { type Ora } from "ora";
import type { SearchProgress } from "../sim/search/search.js";
import { duration, grouped, type Output, type Terminal } from "./output.js";

/** Without a terminal, a line so often. */
const lineEveryMs = 10_000;

export class Progress {
  readonly #spinner: Ora | null;
  readonly #output: Output;
  #nextLineMs = lineEveryMs;

  constructor(terminal: Terminal, output: Output) {
    this.#output = output;
    // The spinner counts lines by dividing by the width, and would never end with 0.
    const onTerminal = terminal.stderr.isTTY === true && (terminal.stderr.columns ?? 0) > 0;
    this.#spinner = onTerminal
      ? // Standard input is left alone, so that an interrupt reaches us.
        ora({ stream: terminal.stderr as NodeJS.WriteStream, discardStdin: false }).start(
          "searching",
        )
      : null;
  }

  show(progress: SearchProgress): void {
    if (this.#spinner !== null) {
      this.#spinner.text = words(progress);
    } else if (progress.elapsedMs >= this.#nextLineMs) {
      this.#nextLineMs = progress.elapsedMs + lineEveryMs;
      this.#output.note(words(progress));
    }
  }

  /** Lets something else be written in between. */
  aside(write: () => void): void {
    this.#spinner?.clear();
    write();
    this.#spinner?.render();
  }

  stop(): void {
    this.#spinner?.stop();
  }
}

function words({ done, of, failed, elapsedMs }: SearchProgress): string {
  const perSecond = elapsedMs > 0 ? (done * 1_000) / elapsedMs : 0;
  const parts = [
    Number.isFinite(of) ? `${grouped(done)} of ${grouped(of)} seeds` : `${grouped(done)} seeds`,
    `${perSecond >= 10 ? grouped(perSecond) : perSecond.toFixed(1)} seeds/s`,
    `${grouped(failed)} failed`,
  ];
  if (Number.isFinite(of) && perSecond > 0) {
    parts.push(`${duration(((of - done) * 1_000) / perSecond)} to go`);
  }
  return parts.join(", ");
}
