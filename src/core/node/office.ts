/** Where the steward works: on the node whose replica of the meta group leads, and as long as it does. */
import { metaGroup } from "../ids.js";
import { entryType } from "../entry.js";
import { ClusterMap } from "../map/cluster-map.js";
import { encodeMapCommand } from "../map/commands.js";
import { stewardName } from "../map/types.js";
import type { Bound } from "../raft/view.js";
import { Steward } from "../steward/steward.js";
import type { StewardOptions } from "../steward/errands.js";
import { decodeClientAnswer } from "../store/client-protocol.js";
import { encodeAdminEntry } from "../store/entries.js";
import type { NodeContext } from "./context.js";
import type { Desk, Reply } from "./desk.js";
import type { Replica } from "./replica.js";
import type { Replicas } from "./replicas.js";

export class Office {
  readonly #replicas: Replicas;
  readonly #steward: Steward;
  /** Whether the meta group is led from here, and up to where the steward knows its map. */
  #leads = false;
  #known = 0;

  constructor(context: NodeContext, replicas: Replicas, desk: Desk, options: StewardOptions) {
    this.#replicas = replicas;
    this.#steward = new Steward({
      marks: context.marks,
      options,
      nowUs: () => context.nowUs,
      wakeAt: (sleeper, atUs) => context.wakes.wakeAt(sleeper, atUs),
      ask: (to, request) => desk.ask(to, request),
      report: (command) => {
        const payload = encodeAdminEntry({
          who: stewardName,
          atUs: context.wallUs(),
          bytes: encodeMapCommand(command),
        });
        const request = desk.unheard();
        this.#meta()?.step({ kind: "propose", request, type: entryType.admin, payload }, request);
      },
    });
  }

  get bound(): Bound {
    return { name: "jobs under way", size: this.#steward.size, limit: this.#steward.limit };
  }

  /** A node has come, maybe after others took over what it led. */
  nodeCame(): void {
    this.#steward.unsettled();
  }

  /** Between two steps: gives the steward the map. */
  settle(): void {
    this.#look();
  }

  /** To what the steward asked. */
  answered({ asked, bytes }: Reply): void {
    const answer = decodeClientAnswer(bytes);
    this.#steward.answered(asked, answer.kind === "undecodable" ? null : answer);
  }

  #look(): void {
    // While it sleeps in a row nothing changes; and to look would be to wake it.
    if (this.#replicas.isRow(metaGroup)) return;
    const meta = this.#meta();
    const leads = meta !== null;
    if (leads === this.#leads && (meta === null || meta.applied === this.#known)) return;
    this.#leads = leads;
    this.#known = meta?.applied ?? 0;
    const machine = meta?.store.machine;
    this.#steward.look(machine instanceof ClusterMap ? machine.state : null);
  }

  /** The replica that leads the meta group here; null when none does. */
  #meta(): Replica | null {
    const newest = this.#replicas.ofGroup(metaGroup);
    return newest !== null && newest.leads && !newest.leaving ? newest : null;
  }
}
