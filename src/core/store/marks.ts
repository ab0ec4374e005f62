/** Rare branches of this part: name and what it stands for. */
export const storeMarks = {
  retryAnsweredFromSession: "a command that had been applied was answered again and not applied",
  retryBelowAckRefused: "a command came whose answer its client had already let go",
  sessionEvicted: "a session was dropped for a newer one, its group being full of them",
  sessionAnswersFull: "a command was refused, its session having too many unacknowledged answers",
  expiredSessionRefused: "a command of a session that is not there was refused",
  sessionReopened: "a retried opening found the session that the first one had opened",
  sessionClosed: "a session was closed by its client",
  casMismatched: "a compare-and-set found another value than the expected one",
  malformedCommandAnswered: "bytes that are no command went through the log and were answered",
  importReplacedSlots: "slots were imported over state that this group already held for them",
  importCarriedSessions: "a session came here with slots that were imported",
  importRefused: "an imported range could not be understood and changed nothing",
  storeStateRefused: "a snapshot of the store could not be understood and changed nothing",
} as const;
