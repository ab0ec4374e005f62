/** Which session and serial a command has, and when it may have others. CONTRACTS 11. */
import { describe, expect, test } from "vitest";
import { OneClient, allOf, groupA, groupB, sessionOf } from "./one-client.js";

const done = { kind: "done", bytes: Uint8Array.of(9) } as const;
const moved = { kind: "moved", epoch: 2 } as const;
const expired = { kind: "sessionExpired" } as const;

describe("client: a command keeps its session and serial", () => {
  test("over silence, refusals and a lost leader", () => {
    const one = new OneClient();
    one.command(1);
    const session = one.open(5);
    const attempts = [one.next("command")];
    attempts.push(one.next("command"));
    one.answer(attempts[1]!, { kind: "refused", reason: "notLeader", leader: 0 });
    attempts.push(one.next("command"));
    one.answer(attempts[2]!, { kind: "unknown", leader: 0 });
    attempts.push(one.next("command"));
    for (const { request } of attempts) expect(request).toMatchObject({ session, serial: 1 });
    one.answer(attempts[3]!, done);
    expect(one.outcomes.get(1)).toEqual(done);
  });

  test("when its slot has moved, at the new owner and its epoch", () => {
    const one = new OneClient();
    one.command(1);
    const session = one.open(5);
    one.answer(one.next("command"), moved);
    one.map(2, allOf(groupB, 2));
    const { request } = one.next("command");
    expect(request).toMatchObject({ group: groupB, epoch: 2, session, serial: 1 });
    expect(one.marks.has("clientSessionMoved")).toBe(true);
  });

  test("and says how far its session has been answered, over all that are under way", () => {
    const one = new OneClient();
    one.command(1, 0);
    one.open(5);
    const first = one.next("command");
    one.command(2, 1);
    const second = one.next("command");
    expect(second.request).toMatchObject({ serial: 2, ackBelow: 1 });
    one.answer(second, done);
    one.command(3, 1);
    expect(one.next("command").request).toMatchObject({ serial: 3, ackBelow: 1 });
    one.answer(first, done);
    one.command(4, 2);
    expect(one.next("command").request).toMatchObject({ serial: 4, ackBelow: 3 });
  });
});

describe("client: a session that is not honoured", () => {
  test("was opened before the slot came: a new one, as nothing was applied", () => {
    const one = new OneClient();
    one.command(1);
    one.open(5);
    one.answer(one.next("command"), expired);
    const session = one.open(8);
    expect(one.next("command").request).toMatchObject({ session, serial: 1 });
    expect(one.marks.has("clientRenumbered")).toBe(true);
  });

  test("after the old owner said `moved`: the command began anew at the new one", () => {
    const one = new OneClient();
    one.command(1);
    one.open(5);
    one.answer(one.next("command"), moved);
    one.map(2, allOf(groupB, 2));
    one.answer(one.next("command"), expired);
    const session = one.open(3);
    expect(session.group).toBe(groupB);
    expect(one.next("command").request).toMatchObject({ group: groupB, session, serial: 1 });
  });

  test("after the old owner said nothing: it may have been applied there", () => {
    const one = new OneClient();
    one.command(1);
    one.open(5);
    one.next("command");
    one.answer(one.next("command"), moved);
    one.map(2, allOf(groupB, 2));
    one.answer(one.next("command"), expired);
    expect(one.outcomes.get(1)).toEqual({ kind: "expired" });
  });

  test("after a late refusal of the attempt that was in doubt: anew", () => {
    const one = new OneClient();
    one.command(1);
    one.open(5);
    const silent = one.next("command");
    const second = one.next("command");
    one.answer(silent, { kind: "refused", reason: "notLeader", leader: 0 });
    one.answer(second, expired);
    expect(one.outcomes.size).toBe(0);
    expect(one.marks.has("clientLateAnswerTaken")).toBe(true);
    expect(one.open(8)).toEqual(sessionOf(groupA, 8));
  });

  test("after `unknown`: it may have been applied", () => {
    const one = new OneClient();
    one.command(1);
    one.open(5);
    one.answer(one.next("command"), { kind: "unknown", leader: 0 });
    one.answer(one.next("command"), expired);
    expect(one.outcomes.get(1)).toEqual({ kind: "expired" });
  });

  test("after an attempt whose answer is no longer taken: it may have been applied", () => {
    const one = new OneClient({ limits: { attemptsOpenMax: 2 } });
    one.command(1);
    one.open(5);
    const attempts = [one.next("command"), one.next("command"), one.next("command")];
    expect(one.marks.has("clientAttemptForgotten")).toBe(true);
    one.answer(attempts[1]!, { kind: "refused", reason: "notLeader", leader: 0 });
    one.answer(attempts[2]!, expired);
    expect(one.outcomes.get(1)).toEqual({ kind: "expired" });
  });

  test("is replaced for new commands, and kept for those under way", () => {
    const one = new OneClient();
    one.command(1, 0);
    const old = one.open(5);
    const first = one.next("command");
    one.command(2, 1);
    one.answer(one.next("command"), expired);
    const session = one.open(8);
    expect(one.next("command").request).toMatchObject({ session, serial: 1 });
    one.command(3, 2);
    expect(one.next("command").request).toMatchObject({ session, serial: 2 });
    one.answer(first, { kind: "refused", reason: "notReady", leader: 0 });
    const again = one.next("command");
    expect(again.request).toMatchObject({ session: old, serial: 1 });
    one.answer(again, done);
    expect(one.next("closeSession").request.session).toEqual(old);
  });

  test("full: new commands have another one, and it goes on with the old", () => {
    const one = new OneClient();
    one.command(1, 0);
    const old = one.open(5);
    one.answer(one.next("command"), { kind: "refused", reason: "sessionFull", leader: 0 });
    expect(one.next("command").request).toMatchObject({ session: old, serial: 1 });
    one.command(2, 1);
    expect(one.open(8)).toEqual(sessionOf(groupA, 8));
  });
});

describe("client: a session is opened", () => {
  test("once for all that wait for it, with one nonce until it is there", () => {
    const one = new OneClient();
    one.command(1, 0);
    one.command(2, 1);
    const first = one.next("openSession");
    expect(one.asked).toEqual([]);
    one.answer(first, { kind: "unknown", leader: 0 });
    const second = one.next("openSession");
    const third = one.next("openSession");
    expect(second.request.nonce).toEqual(first.request.nonce);
    expect(third.request.nonce).toEqual(first.request.nonce);
    one.answer(second, { kind: "opened", session: sessionOf(groupA, 5) });
    expect([one.next("command"), one.next("command")].map(({ request }) => request)).toMatchObject([
      { serial: 1 },
      { serial: 2 },
    ]);
  });

  test("with another nonce after that, as the first one would be no use", () => {
    const one = new OneClient();
    one.command(1);
    const first = one.next("openSession");
    one.answer(first, { kind: "opened", session: sessionOf(groupA, 5) });
    one.answer(one.next("command"), expired);
    expect(one.next("openSession").request.nonce).not.toEqual(first.request.nonce);
  });

  test("not by a session of another group", () => {
    const one = new OneClient();
    one.command(1);
    one.answer(one.next("openSession"), { kind: "opened", session: sessionOf(groupB, 5) });
    expect(one.open(6)).toEqual(sessionOf(groupA, 6));
    expect(one.next("command").request.session).toEqual(sessionOf(groupA, 6));
  });
});
