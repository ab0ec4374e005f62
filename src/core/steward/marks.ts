/** Rare branches of this part: name and what it stands for. */
export const stewardMarks = {
  lateNodeAnswerDropped: "a node answered what the steward did not wait for any more",
  leadersBalancedUnasked: "the steward had leaders balanced after something may have moved them",
} as const;
