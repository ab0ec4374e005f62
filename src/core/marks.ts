/**
 * Marks count the rare branches of the core. A mark is a counter, never a branch: nothing reads it
 * but the search, which must reach every one of them.
 *
 * Each part of the core names its own in a file `marks.ts`: name -> one sentence on what it stands
 * for. `allMarks` is what `list` prints and `search` counts.
 */
import { keyMarks } from "./keys/marks.js";
import { mapMarks } from "./map/marks.js";
import { clientMarks } from "./client/marks.js";
import { nodeMarks } from "./node/marks.js";
import { raftMarks } from "./raft/marks.js";
import { stewardMarks } from "./steward/marks.js";
import { storeMarks } from "./store/marks.js";
import { walMarks } from "./wal/marks.js";

export const allMarks: Readonly<Record<string, string>> = {
  ...raftMarks,
  ...walMarks,
  ...storeMarks,
  ...nodeMarks,
  ...mapMarks,
  ...stewardMarks,
  ...clientMarks,
  ...keyMarks,
};

export type MarkName =
  | keyof typeof raftMarks
  | keyof typeof walMarks
  | keyof typeof storeMarks
  | keyof typeof nodeMarks
  | keyof typeof mapMarks
  | keyof typeof stewardMarks
  | keyof typeof clientMarks
  | keyof typeof keyMarks;

export interface Marks {
  hit(name: MarkName): void;
}
