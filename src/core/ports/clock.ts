/**
 * Time of one node. `nowUs` never goes back within a boot; `wallUs` may jump either way. The rates
 * of two nodes' clocks differ, by at most the drift that leases are told to expect.
 */
export interface Clock {
  /** Monotonic microseconds of this boot, an integer. */
  nowUs(): number;
  /** Microseconds since 1970 as this node believes. For certificates and people, never for order. */
  wallUs(): number;
  /** Asks for one `wake` at or after this monotonic time; replaces the earlier wish. */
  wakeAt(atUs: number): void;
}
