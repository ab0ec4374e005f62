/** Which token is used, and whether it is all there. */
import { describe, expect, test } from "vitest";
import type { KeySpec } from "../../../src/core/hsm/keys.js";
import { FakeToken } from "./fake-token.js";
import { fakeRig } from "./rig.js";

const kekSpec: KeySpec = { algorithm: "aes", bits: 256, purpose: "wrap", exportable: false };

describe("the token's slot", () => {
  const slot = (id: number, label: string, serial: string): FakeToken["slots"][number] => ({
    slot: id,
    label,
    serial,
    manufacturer: "",
    model: "",
    flags: 0x400,
  });

  test("must be clear, and then it is asked for again", () => {
    const token = new FakeToken();
    token.slots = [slot(7, "t1", "s1"), slot(8, "t1", "s2")];
    const rig = fakeRig(token);
    expect(rig.code({ kind: "open" })).toBe("ambiguous");
    expect(rig.machine.state.mode).toBe("halted");
    expect(rig.code({ kind: "find" })).toBe("ambiguous");
    const calls = rig.calls.length;
    rig.run(600_000_000);
    expect(rig.calls.length).toBe(calls);
    token.slots = [slot(7, "t1", "s1")];
    expect(rig.code({ kind: "open" })).toBe("ok");
  });

  test.each([
    [{ by: "id", slot: 8 }],
    [{ by: "label", label: "t2" }],
    [{ by: "serial", serial: "s2" }],
  ] as const)("by %j", (choice) => {
    const token = new FakeToken();
    token.slots = [slot(7, "t1", "s1"), slot(8, "t2  ", "s2")];
    const rig = fakeRig(token, { slot: choice });
    rig.value("done", { kind: "open" });
    expect(rig.machine.state.token).toEqual({ slot: 8, serial: "s2" });
  });

  test("another token in its place is not used", () => {
    const token = new FakeToken();
    const rig = fakeRig(token);
    rig.value("done", { kind: "open" });
    token.slots = [slot(7, "t1", "other")];
    rig.die();
    rig.run(60_000_000);
    expect(rig.machine.state.mode).not.toBe("ready");
    token.slots = [slot(7, "t1", "s1")];
    expect(rig.code({ kind: "open" })).toBe("ok");
  });
});

describe("health", () => {
  test("says so when a key of the token answers", () => {
    const rig = fakeRig(new FakeToken());
    expect(rig.value("health", { kind: "health" }).health).toMatchObject({
      state: "stopped",
      working: false,
    });
    rig.value("done", { kind: "open" });
    expect(rig.value("health", { kind: "health" }).health).toMatchObject({
      state: "ready",
      working: true,
      epoch: expect.any(Number),
    });
  });

  test("is not fooled by sessions that look sound", () => {
    const token = new FakeToken();
    const rig = fakeRig(token);
    const name = { label: "kek", version: 1 };
    rig.value("key", { kind: "generate", name, spec: kekSpec, ifMissing: false });
    const kept = [...token.objects];
    token.objects.clear();
    expect(rig.value("health", { kind: "health" }).health.working).toBe(false);
    expect(rig.machine.state.mode).not.toBe("ready");
    for (const object of kept) token.objects.add(object);
    rig.run(90_000_000);
    expect(rig.value("health", { kind: "health" }).health.working).toBe(true);
  });

  test("is answered as soon as the token is lost, not when its time is up", () => {
    const token = new FakeToken();
    const rig = fakeRig(token);
    rig.value("done", { kind: "open" });
    rig.moduleStarts = () => false;
    const waiting = rig.send({ kind: "health" });
    rig.die();
    expect(rig.result(waiting)).toMatchObject({
      ok: true,
      value: { health: { state: "backingOff", working: false } },
    });
  });

  test("that finds the token lost says so, and does not wait for it to come back", () => {
    const token = new FakeToken();
    const rig = fakeRig(token);
    rig.value("done", { kind: "open" });
    token.slots = [];
    const waiting = rig.send({ kind: "health" });
    rig.runUntil(() => rig.machine.state.mode !== "ready", 60_000_000);
    expect(rig.result(waiting)).toMatchObject({ ok: true, value: { health: { working: false } } });
    expect(rig.machine.waiting).toBe(1);
  });
});
