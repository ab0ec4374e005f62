/** Rare branches of this part: name and what it stands for. */
export const stewardMarks = {
  lateNodeAnswerDropped: "a node answered what the steward did not wait for any more",
  unsettledMembersAwaited: "a group's newest configuration was joint, or not committed yet",
  lostLearnerRemoved: "a learner that was to join had lost its disk",
  lostMemberNotAsked: "a node was not asked for its replica, for it or its disk is lost",
  leadersBalancedUnasked: "the steward had leaders balanced after something may have moved them",
} as const;
