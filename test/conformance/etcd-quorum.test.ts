/** etcd's tables of committed indices and votes, and the cross-checks that its own harness makes. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { replicaId } from "../../src/core/ids.js";
import { type QuorumVoters, quorumValue, voteResult } from "../../src/core/quorum/joint.js";
import { type Voter, majorityValue } from "../../src/core/quorum/majority.js";
import { type TableCase, readTables, rewriteTable } from "./etcd-tables.js";
import { sharedData } from "./shared-data.js";

const directory = sharedData("etcd-raft");
const casesExpected = 127;

describe.skipIf(directory === null)("etcd quorum tables", () => {
  const tables = directory === null ? [] : readTables(join(directory, "quorum"));

  it.each(tables)("quorum: $name: every output agrees to the byte", ({ text }) => {
    expect(rewriteTable(text, run)).toBe(text);
  });

  it("quorum: tables: every case ran", () => {
    let cases = 0;
    for (const { text } of tables) {
      rewriteTable(text, () => {
        cases++;
        return "\n";
      });
    }
    expect(cases).toBe(casesExpected);
  });
});

type Acked = ReadonlyMap<number, number>;

function run({ command, args }: TableCase): string {
  const voters = idsOf(args.get("cfg") ?? "");
  const joint = args.get("cfgj");
  const outgoing = joint === undefined || joint === "zero" ? [] : idsOf(joint);
  const values = listOf(args.get(command === "vote" ? "votes" : "idx") ?? "");
  const ids = [...new Set([...voters, ...outgoing])];
  if (values.length !== ids.length) throw new Error("one value for each voter");
  const given = new Map<number, string>();
  for (const [at, id] of ids.entries()) if (values[at] !== "_") given.set(id, values[at]!);
  switch (command) {
    case "committed": {
      const acked: Acked = new Map([...given].map(([id, index]) => [id, Number(index)]));
      return joint === undefined
        ? committedByMajority(voters, acked)
        : committedJointly(voters, outgoing, acked);
    }
    case "vote":
      return vote({ voters: asVoters(voters), outgoing: asVoters(outgoing) }, given);
    default:
      throw new Error(`unknown command ${command}`);
  }
}

/** Any line beyond picture and index tells of two computations that disagree. */
function committedByMajority(ids: readonly number[], acked: Acked): string {
  const voters = asVoters(ids);
  const committedWith = (acks: Acked) => majorityValue(voters, (replica) => acks.get(replica) ?? 0);
  const committed = committedWith(acked);
  let out = picture(ids, acked);
  const also = (value: number, way: string) => {
    if (value !== committed) out += `${shown(value)} <-- via ${way}\n`;
  };
  also(committedByCounting(ids, acked), "alternative computation");
  also(jointCommitted({ voters, outgoing: [] }, acked), "zero-joint quorum");
  also(jointCommitted({ voters, outgoing: voters }, acked), "self-joint quorum");
  for (const id of ids) {
    const index = acked.get(id) ?? 0;
    if (index === 0 || index >= committed) continue;
    // A voter behind the committed index does not matter to it, however far behind.
    also(committedWith(new Map([...acked, [id, index - 1]])), `overlaying ${id}->${index - 1}`);
    also(committedWith(new Map([...acked, [id, 0]])), `overlaying ${id}->0`);
  }
  return `${out}${shown(committed)}\n`;
}

function committedJointly(
  ids: readonly number[],
  outgoingIds: readonly number[],
  acked: Acked,
): string {
  const [voters, outgoing] = [asVoters(ids), asVoters(outgoingIds)];
  const committed = jointCommitted({ voters, outgoing }, acked);
  const swapped = jointCommitted({ voters: outgoing, outgoing: voters }, acked);
  const symmetry = swapped === committed ? "" : `${shown(swapped)} <-- via symmetry\n`;
  const everybody = [...new Set([...ids, ...outgoingIds])];
  return `${picture(everybody, acked)}${symmetry}${shown(committed)}\n`;
}

function jointCommitted(config: QuorumVoters, acked: Acked): number {
  return quorumValue(config, (replica) => acked.get(replica) ?? 0);
}

/** The definition: the highest index that more than half have. */
function committedByCounting(ids: readonly number[], acked: Acked): number {
  if (ids.length === 0) return Infinity;
  const candidates = [0, ...acked.values()];
  return Math.max(
    ...candidates.filter(
      (index) => 2 * ids.filter((id) => (acked.get(id) ?? 0) >= index).length > ids.length,
    ),
  );
}

function vote({ voters, outgoing }: QuorumVoters, given: ReadonlyMap<number, string>): string {
  const voteOf = (replica: number) => (given.has(replica) ? given.get(replica) === "y" : undefined);
  const names = { won: "VoteWon", lost: "VoteLost", pending: "VotePending" };
  const result = names[voteResult({ voters, outgoing }, voteOf)];
  const swapped = names[voteResult({ voters: outgoing, outgoing: voters }, voteOf)];
  return swapped === result ? `${result}\n` : `${swapped} <-- via symmetry\n${result}\n`;
}

/** A bar for each voter, as long as the number of voters with a lower index. */
function picture(ids: readonly number[], acked: Acked): string {
  if (ids.length === 0) return "<empty majority quorum>";
  const width = ids.length;
  let out = `${" ".repeat(width)}    idx\n`;
  for (const id of ids.toSorted((a, b) => a - b)) {
    const index = acked.get(id) ?? 0;
    const lower = ids.filter((other) => (acked.get(other) ?? 0) < index).length;
    const bar = acked.has(id) ? `${"x".repeat(lower)}>`.padEnd(width + 1) : "?".padEnd(width + 1);
    out += `${bar} ${String(index).padStart(5)}    (id=${id})\n`;
  }
  return out;
}

function shown(index: number): string {
  return index === Infinity ? "∞" : String(index);
}

function asVoters(ids: readonly number[]): Voter[] {
  return ids.map((id) => ({ replica: replicaId(id) }));
}

function idsOf(list: string): number[] {
  return listOf(list).map(Number);
}

function listOf(list: string): string[] {
  return list === "" ? [] : list.split(",").map((item) => item.trim());
}
