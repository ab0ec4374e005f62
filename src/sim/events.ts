/** What can be due in the queue of a simulated world. `a`, `b`, `c` and payload as said. */
export const eventKind = {
  /** a: node, b: its life. */
  turn: 1,
  /** a: node, b: its life, c: which wish. */
  wake: 2,
  /** a: link, b: its connection, payload: frames. */
  frames: 3,
  /** a: link: both ends try to greet each other. */
  greet: 4,
  /** a: link, b: the connection that its second end loses. */
  linkDown: 5,
  /** a: node, b: disk session, c: op, payload: how to answer. */
  diskDone: 6,
  /** a: ordinal of the fault. */
  faultBegin: 7,
  faultEnd: 8,
  /** a: node, b: its life. */
  restart: 9,
  kill: 10,
  resume: 11,
  /** a: client, b: which attempt. */
  clientNext: 12,
  clientTimeout: 13,
  /** a: node, c: request, payload: bytes. */
  request: 14,
  /** c: request, payload: bytes. */
  answer: 15,
  /** a: ordinal of the errand. */
  errand: 16,
  /** a: which check. */
  phase: 17,
  /** a: ordinal of the fault, b: beat. */
  faultBeat: 18,
  /** As `request`, by the other door. */
  adminRequest: 19,
  /** a: node, payload: what happens to its HSM. */
  hsm: 20,
} as const;
