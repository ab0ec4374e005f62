/** Rare branches of this part: name and what it stands for. */
export const keyMarks = {
  hsmAway: "a node asked its HSM for a data key in vain",
  hsmAnswerLost: "an HSM did not answer in time",
  dataKeyNotOpened: "a data key could not be opened by the HSM that it was said to be for",
  startedWithoutKeys: "a replica started while the key of its snapshot was not there yet",
  applyWaitedForKey: "committed entries waited for the key that they are sealed under",
  restoreWaitedForKey: "a received snapshot waited for the key that it is sealed under",
  snapshotWithoutKey: "a snapshot was put off because its key was not there",
  keysBack: "a replica without keys had them again",
  staleKeyEntryDropped: "an entry about keys did not fit what had come before it",
  keyRotated: "a group took a new data key into use",
  memberAdmitted: "a new member was given the keys of its group",
  keyErased: "a data key was erased: nothing sealed under it was left",
  erasureWaited: "a member still had something sealed under a key that was to be erased",
  erasedWhileAway:
    "a key had been erased while a node was no member, which still had something sealed under it",
  keyClaimed:
    "a node told a leader that its HSM has another key than the group's keys are wrapped for",
  memberAdmittedAgain: "a node that held the keys of its group was given them again",
  joinedKeyless: "a change of members waited until the newcomer had the keys",
  keysRevoked: "a group halted because its keys were revoked",
} as const;
