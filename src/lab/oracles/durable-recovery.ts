/**
 * Compares what a start found with what the disk had synced (CONTRACTS 9). A batch is whole or
 * void, so what is found is what was durable with none, some or all of the batches after it.
 */
import type { RecoveredReplica } from "../../core/consensus.js";
import { type DurableReplica, asDurable, lastOf, termAt } from "./durable-model.js";

/** What is wrong with it, for after "recovered"; null when nothing is. */
export function judgeRecovery(
  recovered: RecoveredReplica,
  /** `DurableModel.stages` of the replica. */
  stages: readonly DurableReplica[],
  /** True: a fault damaged the disk, so that less may be found if the replica knows. */
  damaged: boolean,
): string | null {
  const { damagedThrough } = recovered;
  if (damagedThrough > 0 && !damaged) return "with damage where none was done";
  const found = asDurable(recovered);
  const wrongs: string[] = [];
  for (const held of stages) {
    const wrong = wrongTerm(found, held) ?? wrongLog(found, held, damagedThrough);
    if (wrong === null) return null;
    wrongs.push(wrong);
  }
  const [least, most] = [wrongs[0]!, wrongs.at(-1)!];
  if (least.startsWith("without")) return least;
  return most.startsWith("with ") ? most : `to a state that no write left: ${least}, or ${most}`;
}

function wrongTerm(found: DurableReplica, held: DurableReplica): string | null {
  if (found.term < held.term) return `without its term ${held.term}`;
  if (found.term > held.term) {
    // A snapshot of a later term was received and its term not yet written: nothing was voted in it.
    const told = found.base > held.base && found.baseTerm === found.term && found.vote === 0;
    return told ? null : `with term ${found.term}, which was never written`;
  }
  if (found.vote === held.vote) return null;
  return held.vote === 0 ? "with a vote that was never written" : "without its vote";
}

function wrongLog(
  found: DurableReplica,
  held: DurableReplica,
  damagedThrough: number,
): string | null {
  // A replica that knows of its damage may lack what it knows to lack.
  const knows = damagedThrough >= Math.max(1, lastOf(held));
  if (found.base < held.base && !knows) return `without its snapshot at ${held.base}`;
  // A snapshot beyond the log, or with another term than the log there, takes the log's place.
  const replaced = found.base > held.base && termAt(held, found.base) !== found.baseTerm;
  const last = replaced ? found.base : lastOf(held);
  for (let at = Math.max(found.base, held.base) + 1; at <= lastOf(found); at++) {
    if (at > last) return `with an entry at ${at}, which was never written or was cut`;
    if (termAt(found, at) !== termAt(held, at)) return `without its entry at ${at}`;
  }
  if (lastOf(found) < last && !knows) return `without its entry at ${lastOf(found) + 1}`;
  return null;
}
