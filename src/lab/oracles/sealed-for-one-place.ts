import type { OracleSpec } from "../oracle.js";

/** What a seal is bound to names its place: an entry's index and term, or a snapshot and its chunk. */
export const sealedForOnePlace: OracleSpec = {
  id: "sealed-for-one-place",
  about:
    "no two messages are bound to the same associated data, or one could be put in the other's place",
  judges: "step",
  make(report) {
    const places = new Set<string>();
    return {
      sealed(id, _nonce, associatedData) {
        const place = String.fromCharCode(...associatedData);
        if (places.has(place)) {
          report({
            message: `two messages were sealed for one place, the later one under the data key ${id}`,
            shape: "two messages are sealed for one place",
            node: 0,
            group: 0,
          });
        }
        places.add(place);
      },
    };
  },
};
