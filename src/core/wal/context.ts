/** What the parts of the log share: the port, the checksum, the numbers of operations, the limits. */
import type { Checksum } from "../crc32.js";
import type { Marks } from "../marks.js";
import type { Disk } from "../ports/disk.js";
import type { WalOptions } from "./options.js";

export interface WalContext {
  readonly options: WalOptions;
  readonly disk: Disk;
  readonly crc32: Checksum;
  /** Never 0, never twice in one start of the node. */
  readonly nextOp: () => number;
  readonly marks: Marks;
}
