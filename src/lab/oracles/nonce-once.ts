import type { OracleSpec } from "../oracle.js";

/** No key and nonce ever meet two messages (SP 800-38D section 8). */
export const nonceOnce: OracleSpec = {
  id: "nonce-once",
  about: "no two messages are sealed with the same key and nonce (SP 800-38D section 8)",
  judges: "step",
  make(report) {
    const used = new Set<string>();
    return {
      sealed(id, nonce) {
        const name = `${id}/${String.fromCharCode(...nonce)}`;
        if (used.has(name)) {
          report({
            message: `two messages were sealed with one nonce under the data key ${id}`,
            shape: "a nonce is used twice",
            node: 0,
            group: 0,
          });
        }
        used.add(name);
      },
    };
  },
};
