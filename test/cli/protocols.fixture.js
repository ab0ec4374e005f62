// Protocols of a user's own. `counting` is pure; `leaking` keeps something outside its state, so that
// what ran before shows in what runs later.
let leak = 0;

class Counter {
  state = { answered: 0 };
  #impure;

  constructor(impure) {
    this.#impure = impure;
  }

  step(_now, input, out) {
    if (input.kind !== "request") return;
    this.state.answered++;
    const extra = this.#impure ? leak++ : 0;
    const bytes = Uint8Array.of(this.state.answered & 255, extra & 255, (extra >> 8) & 255);
    out.push({ kind: "answer", request: input.request, bytes, after: 0 });
  }
}

const scenario = (name, { impure, wrong }) => ({
  name,
  about: `the ${name} one`,
  cluster: { nodes: 2, groups: 1, replication: 1, raft: {}, wal: {} },
  workload: { clients: 2, thinkUs: 20_000, keys: 1, mix: {}, valueBytes: 8 },
  faults: { swarm: ["kill", "pause"], swarmFaultsMax: 2 },
  phases: { attackUs: 3_000_000 },
  expect: "ok",
  protocol: {
    machine: () => new Counter(impure),
    request: (draw) => Uint8Array.of(draw.integer(0, 255)),
    properties: [
      {
        id: "asks-for-little",
        about: "nobody asks for 255",
        judge: () => (exchange) =>
          wrong && exchange.request[0] === 255 ? "somebody asked for 255" : null,
      },
    ],
  },
});

export const scenarios = [
  scenario("counting", { impure: false, wrong: false }),
  scenario("leaking", { impure: true, wrong: false }),
  scenario("asking", { impure: false, wrong: true }),
];
