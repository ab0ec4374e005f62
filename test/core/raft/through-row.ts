import { ByteReader, ByteWriter } from "../../../src/core/bytes.js";
import { digestOf } from "../../../src/core/plain.js";
import { Raft, type RaftConfig } from "../../../src/core/raft/raft.js";
import { writeRow } from "../../../src/core/raft/sleeping-row.js";

/** What comes out of the row of a sleeping replica; a row that says something else is an error. */
export function throughRow({ state }: Raft, config: RaftConfig): Raft {
  const writer = new ByteWriter();
  writeRow(writer, state);
  const row = new ByteReader(writer.finish());
  const raft = new Raft({ ...config, row });
  const [before, after] = [digestOf(state), digestOf(raft.state)];
  if (before[0] !== after[0] || before[1] !== after[1] || !row.complete) {
    throw new Error(`a row of replica ${state.replica} says something else than its state`);
  }
  return raft;
}
