/**
 * etcd's tables of membership changes. Which member is in which part, and what is refused, is
 * decided by the core; here it is only written down the way etcd does, together with the progress
 * that a leader would keep for each member.
 */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nodeId, replicaId } from "../../src/core/ids.js";
import {
  type ChangeRefusal,
  type ChangeResult,
  type MemberStep,
  enterJoint,
  leaveJoint,
  simple,
} from "../../src/core/raft/configuration-change.js";
import {
  type Configuration,
  type Member,
  checkConfiguration,
  emptyConfiguration,
  isJoint,
  isLearner,
  members,
} from "../../src/core/raft/configuration.js";
import { type TableCase, readTables, rewriteTable } from "./etcd-tables.js";
import { sharedData } from "./shared-data.js";

const directory = sharedData("etcd-raft");
const casesExpected = 58;

const refusalText: Partial<Record<ChangeRefusal, string>> = {
  simpleWhileJoint: "can't apply simple config change in joint config",
  alreadyJoint: "config is already joint",
  notJoint: "can't leave a non-joint config",
  noVoters: "can't make a zero-voter config joint",
  allVotersRemoved: "removed all voters",
  manyVotersChanged: "more than one voter changed without entering joint config",
};

describe.skipIf(directory === null)("etcd confchange tables", () => {
  const tables = directory === null ? [] : readTables(join(directory, "confchange"));

  it.each(tables)("confchange: $name: every output agrees to the byte", ({ text }) => {
    expect(rewriteTable(text, seriesOfChanges())).toBe(text);
  });

  it("confchange: tables: every case ran", () => {
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

/** Runs the cases of one file, each on the outcome of those before it. */
function seriesOfChanges(): (one: TableCase) => string {
  let config = emptyConfiguration;
  let nextOf = new Map<number, number>();
  // The log grows by one with each command, also with a refused one.
  let lastIndex = 0;
  return (one) => {
    const result = change(config, one);
    const next = Math.max(lastIndex++, 1);
    if ("refused" in result) return `${refusalText[result.refused] ?? result.refused}\n`;
    config = result.ok;
    expect(checkConfiguration(config)).toEqual([]);
    nextOf = new Map(members(config).map(({ replica }) => [replica, nextOf.get(replica) ?? next]));
    return `${configurationText(config)}\n${progressText(config, nextOf)}`;
  };
}

function change(config: Configuration, { command, args, body }: TableCase): ChangeResult {
  const steps = body
    .split(" ")
    .filter((token) => token !== "")
    .flatMap(stepOf);
  switch (command) {
    case "simple":
      return simple(config, steps);
    case "enter-joint":
      return enterJoint(config, steps, { autoLeave: args.get("autoleave") === "true" });
    case "leave-joint":
      return leaveJoint(config);
    default:
      throw new Error(`unknown command ${command}`);
  }
}

function stepOf(token: string): MemberStep[] {
  const id = Number(token.slice(1));
  const member: Member = { replica: replicaId(id), node: nodeId(id), disk: 0 };
  switch (token[0]) {
    case "v":
      return [{ kind: "voter", member }];
    case "l":
      return [{ kind: "learner", member }];
    case "r":
      return [{ kind: "remove", replica: member.replica }];
    case "u":
      // Carries data of etcd's own past raft; no membership is touched, so there is no such step.
      return [];
    default:
      throw new Error(`unknown token ${token}`);
  }
}

function configurationText(config: Configuration): string {
  let text = `voters=${listText(config.voters)}`;
  if (isJoint(config)) text += `&&${listText(config.outgoing)}`;
  if (config.learners.length > 0) text += ` learners=${listText(config.learners)}`;
  if (config.learnersNext.length > 0) text += ` learners_next=${listText(config.learnersNext)}`;
  return config.autoLeave ? `${text} autoleave` : text;
}

function listText(list: readonly Member[]): string {
  return `(${list.map(({ replica }) => replica).join(" ")})`;
}

function progressText(config: Configuration, nextOf: ReadonlyMap<number, number>): string {
  return members(config)
    .map(({ replica }) => {
      const learner = isLearner(config, replica) ? " learner" : "";
      return `${replica}: StateProbe match=0 next=${nextOf.get(replica)}${learner}\n`;
    })
    .join("");
}
