/** Rare branches of this part: name and what it stands for. */
export const clientMarks = {
  clientAnswerDropped: "an answer came that a client did not wait for or could not understand",
  clientLateAnswerTaken:
    "an answer came after its client had asked again, and counted all the same",
  clientMapInstalled: "a client took over a newer map",
  clientMapRefused: "what a node sent as a map was none, and changed nothing",
  clientSessionMoved: "a command went to the new owner of its slot under a session of the old one",
  clientRenumbered: "a command that cannot have been applied began anew in another session",
  clientSessionLost: "a command ended without anybody knowing whether it had been applied",
  clientSessionFull: "a client opened another session, the old one having too many answers",
  clientGroupForgotten: "a client forgot a group to remember another one",
  clientAttemptForgotten: "a client asked so often that it stopped waiting for its oldest request",
  clientHintIgnored: "a client did not ask the node that it was referred to",
  clientOperationsFull: "an operation was refused, its client having too many under way",
} as const;
