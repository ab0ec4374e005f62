/** Older keys are erased when all members have answered that nothing is left of them. */
import { expect, test } from "vitest";
import { rotate } from "../keys/entries.js";
import {
  type AskedQuestion,
  OfficeRig,
  againUs,
  cleared,
  refused,
  undecodable,
} from "./office-rig.js";

/** The member, where it lives, and below which epoch nothing may be left. */
function floors(questions: readonly AskedQuestion[]): number[][] {
  return questions.map(({ to, about }) => {
    if (about.kind !== "keyFloor") throw new Error(`asked for ${about.kind}`);
    return [about.replica, to, about.below];
  });
}

/** Members 1 to 3 with keys of epochs 1 and 2, as soon as they are asked about the older one. */
function asking(): OfficeRig {
  const rig = OfficeRig.withKeys(2);
  expect(rig.proposed).toEqual([]);
  return rig;
}

test("key office: a key is erased when all members have answered, and not before", () => {
  const rig = asking();
  const questions = rig.newQuestions();
  expect(floors(questions)).toEqual([[1, 1, 2], [2, 2, 2], [3, 3, 2]]); // prettier-ignore
  expect(questions[0]!.about).toMatchObject({ group: 5, incarnation: 1 });
  rig.answer(2, cleared);
  rig.answer(1, cleared);
  rig.pass(againUs);
  expect(rig.proposed).toEqual([]);
  rig.answer(3, cleared);
  expect(rig.proposed).toEqual([{ kind: "erase", below: 2 }]);
  rig.commit();
  rig.newQuestions();
  rig.pass(againUs);
  expect(rig.newQuestions()).toEqual([]);
  expect(rig.wakes.size).toBe(0);
});

test.each([
  ["is not done", refused],
  ["says what cannot be decoded", undecodable],
])(
  "key office: who %s is asked again after a while, and those that are done are not",
  (_name, bytes) => {
    const rig = asking();
    rig.answer(1, cleared);
    rig.answer(2, cleared);
    rig.newQuestions();
    rig.answer(3, bytes);
    expect(rig.marks.of("erasureWaited")).toBe(1);
    expect(rig.newQuestions()).toEqual([]);
    rig.pass(againUs);
    expect(floors(rig.newQuestions()).at(-1)).toEqual([3, 3, 2]);
    rig.pass(againUs);
    expect(floors(rig.newQuestions())).toEqual([[3, 3, 2]]);
    expect(rig.proposed).toEqual([]);
  },
);

test("key office: a late answer about an earlier epoch does not count for the newest", () => {
  const rig = asking();
  const late = rig.newQuestions();
  rig.apply(rotate(3, [1, 2, 3]));
  for (const question of late) expect(rig.answerTo(question, cleared)).toBe(true);
  expect(rig.proposed).toEqual([]);
});

test("key office: members that had cleared for an earlier epoch are all asked for the newest", () => {
  const rig = asking();
  rig.answer(1, cleared);
  rig.answer(2, cleared);
  rig.newQuestions();
  rig.apply(rotate(3, [1, 2, 3]));
  expect(floors(rig.newQuestions())).toEqual([[1, 1, 3], [2, 2, 3], [3, 3, 3]]); // prettier-ignore
});

test("key office: an answer about a member that was replaced on its node does not count for the new one", () => {
  for (const isLate of [false, true]) {
    const rig = asking();
    rig.answer(1, cleared);
    rig.answer(2, cleared);
    const old = rig.asked.findLast(({ to }) => to === 3)!;
    const replace = (): void => rig.members([1, 1], [2, 2], [9, 3]);
    if (isLate) replace();
    else rig.view.configurationIndex = rig.view.commit + 1;
    rig.answerTo(old, cleared);
    replace();
    rig.view.configurationIndex = 0;
    rig.newQuestions();
    rig.pass(againUs);
    expect(floors(rig.newQuestions())).toEqual([[9, 3, 2]]);
    rig.answer(3, cleared);
    expect(rig.proposed).toEqual([{ kind: "erase", below: 2 }]);
  }
});

test("key office: nothing is erased while members change", () => {
  const rig = asking();
  rig.configure([[1, 1], [2, 2], [4, 3]], [[1, 1], [2, 2], [3, 3]]); // prettier-ignore
  for (const node of [1, 2, 3]) rig.answer(node, cleared);
  rig.pass(againUs);
  expect(rig.proposed).toEqual([]);
  rig.members([1, 1], [2, 2], [3, 3]);
  rig.due();
  expect(rig.proposed).toEqual([{ kind: "erase", below: 2 }]);
});

test("key office: what is answered to who leads no more comes to nothing", () => {
  const rig = asking();
  const late = rig.newQuestions();
  rig.replica.leads = false;
  rig.due();
  for (const question of late) expect(rig.answerTo(question, cleared)).toBe(true);
  rig.replica.leads = true;
  rig.due();
  expect(rig.proposed).toEqual([]);
  expect(floors(rig.newQuestions()).length).toBe(3);
});
