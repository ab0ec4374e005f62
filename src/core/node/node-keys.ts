/** What a node that has an HSM has for the keys of its groups. */
import type { ReplicaKey } from "../wal/log-store.js";
import type { NodeContext } from "./context.js";
import type { Desk } from "./desk.js";
import type { KeyPorts } from "./host-parts.js";
import { KeyClaims } from "./key-claims.js";
import { KeyFloors } from "./key-floors.js";
import { KeyOffice, type KeyPolicy } from "./key-office.js";
import { type Keyring, keyringOf } from "./keyring.js";
import { ReplicaKeys } from "./replica-keys.js";
import type { Replicas } from "./replicas.js";

export class NodeKeys {
  readonly keyring: Keyring;
  readonly office: KeyOffice;
  readonly claims: KeyClaims;
  readonly floors: KeyFloors;
  readonly #context: NodeContext;
  #snapshotsNamed = 0;

  constructor(
    context: NodeContext,
    ports: KeyPorts,
    desk: Desk,
    replicas: Replicas,
    policy: Partial<KeyPolicy> = {},
  ) {
    this.#context = context;
    this.keyring = keyringOf(context, ports);
    this.office = new KeyOffice(context, desk, this.keyring, policy);
    this.claims = new KeyClaims(context, desk, this.keyring);
    this.floors = new KeyFloors(context, replicas);
  }

  /** For a replica that is being made. */
  of(key: ReplicaKey): ReplicaKeys {
    const { node, marks, boot, observer } = this.#context;
    return new ReplicaKeys({
      keyring: this.keyring,
      node,
      key,
      marks,
      erased: (ids) => observer.keysErased?.(node, key.group, ids),
      floorAt: (epoch) => this.floors.raise(key, epoch),
      snapshotId: () => [node, boot, ++this.#snapshotsNamed],
    });
  }
}
