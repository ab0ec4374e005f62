/** Chance for scenarios and workloads: a named, sequential stream of the seed. */
export interface Draw {
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  /** True with a chance of `thousandths` in 1,000. */
  chance(thousandths: number): boolean;
  /** One of a list that is not empty. */
  pick<T>(from: readonly T[]): T;
  /** `count` different ones, in a drawn order; all of them if there are fewer. */
  some<T>(from: readonly T[], count: number): T[];
}
