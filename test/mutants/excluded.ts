/**
 * Rows of the catalogue, or letters of our own, that this design rules out: no small edit of it
 * brings them about, or what they bring about breaks no promise.
 */
import type { Excluded } from "../../src/sim/search/mutants/mutant.js";

export const excludedRows: readonly Excluded[] = [
  {
    row: "04",
    was: "the same candidate's retry in the same term is refused",
    because: "a candidate asks once in a term; its next try is a new pre-vote and a new term",
  },
  {
    row: "07",
    was: "a candidate adopts a higher vote that it sees in a reply",
    because: "a reply names no vote, it only grants or refuses",
  },
  {
    row: "11",
    was: "a vote reply carries the voter's own older term and is ignored",
    because: "replies to pre-votes are matched by their round, and their term is not looked at",
  },
  {
    row: "14",
    was: "granting a pre-vote resets the election timer",
    because:
      "a round is asked at most once in an election timeout, drawn anew each time: elections take " +
      "longer by the odds, and none is prevented",
  },
  {
    row: "15",
    was: "a pre-vote from the node believed to be leader is refused",
    because: "belief ends with a promise that lasts one election timeout by the voter's own clock",
  },
  {
    row: "18",
    was: "a leader grants a pre-vote and stops at an assertion",
    because:
      "a pre-vote changes no state, and a leader that meets a higher term is a follower first",
  },
  {
    row: "23",
    was: "replicas draw the same sequence of timeouts",
    because:
      "each message from a leader draws anew, so equal generators part at once, and the jitter of " +
      "any network decides a tie: elections split more often, and none for ever",
  },
  {
    row: "25",
    was: "the scan for a new commit index stops at an entry of an older term",
    because: "nothing is scanned: the index that a quorum holds is found at once, by order",
  },
  {
    row: "29",
    was: "the match index falls when acknowledgements overtake each other",
    because:
      "an acceptance below what is matched is dropped, and the commit index is never lowered by match",
  },
  {
    row: "32",
    was: "an append after position 0 is accepted after compaction, its entries appended twice",
    because: "entries carry their own position, and those at or below the base are passed over",
  },
  {
    row: "37",
    was: "an acknowledgement from before a log was reverted is counted after it",
    because:
      "a log that lost what it had acknowledged neither votes nor leads until it is refilled past all " +
      "of that: no leader without it can be elected, however late the old answer counts",
  },
  {
    row: "39",
    was: "a delayed refusal rewinds the progress of a peer",
    because: "its request is closed, and a probe never begins below what is matched",
  },
  {
    row: "48",
    was: "storage completions that overtake each other lose progress",
    because: "tokens of one replica complete in order by contract, each standing for all before it",
  },
  {
    row: "50",
    was: "the term is made durable before the log that it vouches for",
    because: "what one step persists is one row of one batch, under one sync",
  },
  {
    row: "59",
    was: "a crash comes between a snapshot and the log's restart after it",
    because:
      "recovery compares each snapshot with the log and knows both orders; a log that lacks what its " +
      "snapshot should hold is marked damaged and refilled",
  },
  {
    row: "64",
    was: "a chunk from the middle begins a new snapshot",
    because: "the file takes chunks in order only, and the checksum of the whole is verified",
  },
  {
    row: "65",
    was: "a conflicting snapshot at a committed index is adopted",
    because:
      "a snapshot is known by index, term, size and checksum, and is refused unless it matches",
  },
  {
    row: "L1",
    was: "a start builds on a batch that it has read, and that was never synced",
    because:
      "the first thing that a start writes is its boot record, whose sync covers the batch before it. " +
      "Were that in an earlier segment, the record would still prove it and its loss be known damage, " +
      "which costs availability and breaks no promise",
  },
  {
    row: "M7",
    was: "an old owner drops its slots before the new one has accepted them",
    because: "their state is staged by then, whole and in the new owner's log: nothing is lost",
  },
  {
    row: "M8",
    was: "the map names the new owner as soon as the old one has released the slots",
    because: "until it has accepted them it answers `moved`, and clients ask again",
  },
  {
    row: "M9",
    was: "answers to what was applied stay when slots are dropped",
    because:
      "those that come back with the slots are the same, and their number is bounded for each session",
  },
  {
    row: "G6",
    was: "a group counts as made when one of its members is",
    because: "its campaign invites the others, and tells them whom the group was founded with",
  },
  {
    row: "G7",
    was: "the old member leaves before the new one has a vote",
    because: "the group has a voter less for a while: less may fail, and nothing wrong is said",
  },
  {
    row: "G8",
    was: "a leader of a group's earlier life on the node answers for its newest one",
    because: "a number is given again only once every member has removed the earlier replica",
  },
  {
    row: "Y1",
    was: "a member that has not applied the change of keys yet says that it is rid of the old one",
    because:
      "when it comes to the erasure it clears itself, as a node does that was no member by then",
  },
  {
    row: "Y4",
    was: "a node may join although the next key, in the log already, is not wrapped for it",
    because:
      "whoever stays knows that key and wraps it; that nobody stays, in the very milliseconds in which " +
      "the record is under way, no search has seen, so a unit test holds the guard",
  },
  {
    row: "S9",
    was: "a snapshot whose last chunks were cut off is taken for a whole one",
    because:
      "states in the simulator have one chunk, and nobody there writes to others' disks: a unit test " +
      "cuts, swaps and doubles chunks",
  },
];
