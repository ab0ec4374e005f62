import { type OracleSpec, shapeOf } from "../oracle.js";

/** No input makes a machine stop: a broken invariant of its own is a bug of ours. */
export const invariant: OracleSpec = {
  id: "invariant",
  about: "no input breaks an invariant that the core states of itself",
  judges: "step",
  make(report) {
    return {
      stopped(node, reason) {
        if (!reason.startsWith("invariant")) return;
        report({
          message: `node ${node} stopped: ${reason}`,
          shape: shapeOf(reason),
          node,
          group: 0,
        });
      },
    };
  },
};
