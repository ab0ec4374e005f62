import type { RaftMessage } from "../../core/raft/messages.js";
import type { OracleSpec } from "../oracle.js";
import { DurableModel, type DurableReplica, asDurable, lastOf, termAt } from "./durable-model.js";
import { judgeRecovery } from "./durable-recovery.js";
import { LedLogs } from "./led-logs.js";
import { replicaKey, where } from "./replica-key.js";

/**
 * Thesis figure 3.1, "updated on stable storage before responding": a message that promises
 * something leaves only after the disk holds it, and a recovery finds what the disk held, no less
 * and no more.
 */
export const durableState: OracleSpec = {
  id: "durable-state",
  about:
    "terms, votes and acknowledged entries are on disk before they are said, and recovery finds them and nothing else (Raft thesis figure 3.1)",
  judges: "step",
  make(report) {
    const model = new DurableModel();
    /** Nodes with a disk on which a fault damaged something. */
    const damaged = new Set<number>();
    const led = new LedLogs();
    return {
      changed(_node, view) {
        if (view.role === "leader") led.note(view);
      },
      submitted: (node, batch, persists) => model.submitted(node, batch, persists),
      durable: (node, batch) => model.durable(node, batch),
      crashed: (node) => model.crashed(node),
      // The next one is new.
      diskLost: (node) => damaged.delete(node),
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
        const key = replicaKey(view);
        const wrong = judgeRecovery(recovered, model.stages(node, key), damaged.has(node));
        model.restarted(node, key, asDurable(recovered));
        if (wrong === null) return;
        report({
          message: `${where(view)} recovered ${wrong}`,
          shape: `recovery ${wrong.replace(/\d+/g, "n")}`,
          node,
          group: view.group,
        });
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
    case "sleep":
    case "asleep":
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
