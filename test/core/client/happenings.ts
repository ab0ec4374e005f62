/** What may happen next, and how likely it is to be drawn. */
export const happenings = {
  submit: 5,
  exchange: 14,
  arrive: 6,
  answer: 6,
  timer: 8,
  release: 2,
  accept: 3,
  keep: 1,
  publish: 4,
  evict: 1,
  lead: 1,
  loseRequest: 2,
  loseAnswer: 3,
  repeatAnswer: 2,
  refuse: 3,
  unsure: 3,
  settle: 3,
  nonsense: 2,
  unreachable: 1,
} as const;
export type Happening = keyof typeof happenings;

export interface Decision {
  readonly what: Happening;
  readonly word: number;
}
