/** Which jobs were under way, and who carried them out, as a trace shows it. */
import type { TraceData, TraceEvent } from "../../core/trace/schema.js";
import { jobName, stepOf } from "./control-words.js";
import { clip, seconds, width } from "./layout.js";

interface Running extends TraceData<"job"> {
  readonly sinceUs: number;
}

export class JobsAtEnd {
  readonly #jobs = new Map<number, Running>();
  /** Stewards, and since when; two for a while when one has not heard of the other. */
  readonly #stewards = new Map<number, { readonly term: number; readonly sinceUs: number }>();
  /** Up to which entry of the meta group the story is told. */
  #known = 0;

  observe({ kind, node, data }: TraceEvent, atUs: number): void {
    if (kind === "crash") this.#stewards.delete(node);
    if (kind === "steward") {
      if (data.active) this.#stewards.set(node, { term: data.term, sinceUs: atUs });
      else this.#stewards.delete(node);
    }
    if (kind !== "job" || data.index <= this.#known) return;
    this.#known = data.index;
    if (data.job === 0 || data.outcome !== "ok") return;
    if (data.state === "done" || data.state === "undone") this.#jobs.delete(data.job);
    else this.#jobs.set(data.job, { ...data, sinceUs: atUs });
  }

  lines(): string[] {
    const stewards = [...this.#stewards].map(
      ([node, { term, sinceUs }]) => `n${node} since ${seconds(sinceUs)} s (term ${term})`,
    );
    const jobs = [...this.#jobs.values()].map((job) => {
      const how = job.state === "undoing" ? " being taken back," : "";
      return `  ${jobName(job)}${how} since ${seconds(job.sinceUs)} s: ${stepOf(job)}`;
    });
    return [
      `  steward: ${stewards.join(", and ") || "none"}`,
      ...(jobs.length === 0 ? ["  no job is under way"] : jobs),
    ].map((line) => clip(line, width));
  }
}
