/** What no node of this cluster says, or not to this question. */
import { groupId, incarnation, index } from "../../../src/core/ids.js";
import type { OpenRequest } from "../../../src/core/client/state.js";
import { type ClientAnswer, encodeClientAnswer } from "../../../src/core/store/client-protocol.js";
import { type Owners, encodeOwners } from "./maps.js";

export function nonsense(
  purpose: OpenRequest["purpose"] | undefined,
  word: number,
  owners: Owners,
): readonly Uint8Array[] {
  const session = { group: groupId(9), incarnation: incarnation(0), index: index(5) };
  const said: ClientAnswer[] = [
    { kind: "opened", session },
    { kind: "map", version: 99, bytes: Uint8Array.of(1, 2, 3) },
    { kind: "map", version: 98, bytes: encodeOwners(97, owners) },
    { kind: "map", version: 99, bytes: encodeOwners(99, [...owners, ...owners]) },
  ];
  // Of a command or a read this would be a lie, not nonsense.
  if (purpose === "opening" || purpose === "map") {
    said.push({ kind: "done", bytes: Uint8Array.of(word) }, { kind: "moved", epoch: word });
  }
  const garbage = [new Uint8Array(0), Uint8Array.of(word, word >> 8, word >> 16)];
  return [...garbage, ...said.map(encodeClientAnswer)];
}
