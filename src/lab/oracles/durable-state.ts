import type { RecoveredReplica } from "../../core/consensus.js";
import type { NodeId } from "../../core/ids.js";
import type { RaftMessage } from "../../core/raft/messages.js";
import type { RaftView } from "../../core/raft/view.js";
import type { OracleSpec, Report } from "../oracle.js";
import { DurableModel, type DurableReplica, asDurable, lastOf, termAt } from "./durable-model.js";
import { LedLogs } from "./led-logs.js";
import { replicaKey, where } from "./replica-key.js";

/**
 * Thesis figure 3.1, "updated on stable storage before responding": a message that promises
 * something leaves only after the disk holds it, and a recovery finds all that the disk held.
 */
export const durableState: OracleSpec = {
  id: "durable-state",
  about:
    "terms, votes and acknowledged entries are on disk before they are said, and recovery finds them (Raft thesis figure 3.1)",
  judges: "step",
  make(report) {
    const model = new DurableModel();
    const damaged = new Set<number>();
    const led = new LedLogs();
    return {
      changed(_node, view) {
        if (view.role === "leader") led.note(view);
      },
      submitted: (node, batch, persists) => model.submitted(node, batch, persists),
      durable: (node, batch) => model.durable(node, batch),
      diskLost: (node) => damaged.add(node),
      diskDamaged: (node) => damaged.add(node),
      released(node, _to, message) {
        const lacking = lacks(model.of(senderKey(message)), message, led);
        if (lacking === null) return;
        report({
          message: `node ${node} sent ${message.kind} of term ${message.term} in group ${message.group} before its disk held ${lacking}`,
          shape: `${message.kind} before ${lacking} was durable`,
          node,
          group: message.group,
        });
      },
      replicaStarted(node, _boot, view, recovered) {
        judgeRecovery(model, node, view, recovered, damaged.has(node), report);
        model.restarted(node, replicaKey(view), asDurable(recovered));
      },
    };
  },
};

function senderKey(message: RaftMessage): number {
  return replicaKey({
    group: message.group,
    incarnation: message.incarnation,
    replica: message.from,
  });
}

/** What the message promises and the disk does not hold; null when it holds all. */
function lacks(
  durable: DurableReplica | undefined,
  message: RaftMessage,
  led: LedLogs,
): string | null {
  const term = durable?.term ?? 0;
  switch (message.kind) {
    case "vote":
      // Who has a later term on disk can never vote in this one again.
      if (term > message.term) return null;
      return term === message.term && durable?.vote === message.from ? null : "its own vote";
    case "voteReply":
      if (!message.granted) return null;
      if (term > message.term) return null;
      return term === message.term && durable?.vote === message.to ? null : "the vote";
    case "appendReply":
      if (term < message.term) return "the term";
      if (!message.accepted || durable === undefined) return null;
      return lacksEntries(durable, message, led);
    case "heartbeatReply":
    case "append":
    case "heartbeat":
      return term < message.term ? "the term" : null;
    case "snapshotReply":
      if (message.outcome !== "installed" || durable === undefined) return null;
      return lastOf(durable) >= message.snapshotIndex ? null : "the snapshot";
    default:
      return null;
  }
}

/** As many entries as it says, and at the last of them the leader's, not one it was to replace. */
function lacksEntries(
  durable: DurableReplica,
  reply: Extract<RaftMessage, { kind: "appendReply" }>,
  led: LedLogs,
): string | null {
  // A later leader's entries may have gone to disk in the same write, in place of these. They were
  // held when that leader asked for its votes, and that is what an acknowledgement promises.
  if (durable.term > reply.term) return null;
  if (lastOf(durable) < reply.match) return "the entries";
  const meant = led.termAt(reply, reply.match);
  if (meant < 0 || reply.match < durable.base) return null;
  return termAt(durable, reply.match) === meant ? null : "the leader's entries";
}

function judgeRecovery(
  model: DurableModel,
  node: NodeId,
  view: RaftView,
  recovered: RecoveredReplica,
  damaged: boolean,
  report: Report,
): void {
  const durable = model.of(replicaKey(view));
  if (durable === undefined) return;
  const pending = model.withPending(node, replicaKey(view));
  const found = asDurable(recovered);
  const wrong = misses(found, durable, recovered.damagedThrough);
  if (wrong === null || misses(found, pending, recovered.damagedThrough) === null) return;
  report({
    message: `${where(view)} recovered without ${wrong}${damaged ? " after damage at rest" : ""}`,
    shape: `recovery without ${wrong.replace(/\d+/g, "n")}`,
    node,
    group: view.group,
  });
}

/** What of `held` is not in `found`; null when nothing is missing or the replica knows its damage. */
function misses(
  found: DurableReplica,
  held: DurableReplica,
  damagedThrough: number,
): string | null {
  if (found.term < held.term) return `its term ${held.term}`;
  if (found.term === held.term && held.vote !== 0 && found.vote !== held.vote) return "its vote";
  if (damagedThrough >= lastOf(held)) return null;
  for (let at = held.base + 1; at <= lastOf(held); at++) {
    if (at > found.base && termAt(found, at) !== termAt(held, at)) return `its entry at ${at}`;
  }
  return null;
}
