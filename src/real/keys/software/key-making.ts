/** Keys come and go in the file: made, and buried under a tombstone. */
import type { KeyName, KeySpec } from "../../../core/hsm/keys.js";
import { isNamed, sameSpec, specProblem } from "../key-names.js";
import type { KeyFile } from "./key-file.js";
import { keyOfMaterial, makeMaterial, newKeyId, type HeldKey } from "./held-key.js";
import type { KeyRing } from "./key-ring.js";
import { refusedBy, Refusal } from "./refusal.js";

export class KeyMaking {
  readonly #file: KeyFile;
  readonly #ring: KeyRing;

  constructor(file: KeyFile, ring: KeyRing) {
    this.#file = file;
    this.#ring = ring;
  }

  /** Durable when it resolves; an exportable key lives in this session only (policy P13). */
  async make(name: KeyName, spec: KeySpec, ifMissing: boolean): Promise<HeldKey> {
    checkKey(name, spec);
    await this.#ring.refresh();
    const earlier = this.#earlier(name, spec, ifMissing);
    if (earlier !== null) return earlier;
    const material = await makeMaterial(spec);
    try {
      return spec.exportable
        ? this.#makeForSession(name, spec, ifMissing, material)
        : await this.#makeInFile(name, spec, ifMissing, material);
    } finally {
      material.fill(0);
    }
  }

  /** Whether a key of that name may come to be: throws why not. */
  checkNew(name: KeyName, spec: KeySpec): void {
    checkKey(name, spec);
    this.#ring.checkNameIsFree(name);
  }

  /** Destroys the key for good. Its name and its id are never given again. */
  async bury({ reference: { id } }: HeldKey): Promise<void> {
    await this.#file.update(({ keys, tombstones }) => {
      const record = keys.find((each) => each.id === id);
      if (record === undefined) throw new Refusal("notFound");
      const stone = { id, name: record.name, deletedMs: Date.now() };
      return { keys: keys.filter((each) => each !== record), tombstones: [...tombstones, stone] };
    });
    this.#ring.follow();
  }

  #makeForSession(name: KeyName, spec: KeySpec, ifMissing: boolean, material: Uint8Array): HeldKey {
    // The making took time, in which another may have been quicker.
    const earlier = this.#earlier(name, spec, ifMissing);
    if (earlier !== null) return earlier;
    const origin = { id: newKeyId(), name, spec, createdMs: Date.now() };
    const key = keyOfMaterial({ ...origin, permanent: false, local: true }, material)!;
    this.#ring.holdForSession(key);
    return key;
  }

  async #makeInFile(
    name: KeyName,
    spec: KeySpec,
    ifMissing: boolean,
    material: Uint8Array,
  ): Promise<HeldKey> {
    const id = newKeyId();
    await this.#file.update(({ keys, tombstones }) => {
      this.#ring.follow();
      if (this.#earlier(name, spec, ifMissing) !== null) return null;
      const record = { id, name, spec, createdMs: Date.now(), encryptionsReserved: 0 };
      return { keys: [...keys, { ...record, material: new Uint8Array(material) }], tombstones };
    });
    this.#ring.follow();
    return this.#ring.named(name)!;
  }

  /** The key that is the answer already; null: it is to be made. */
  #earlier(name: KeyName, spec: KeySpec, ifMissing: boolean): HeldKey | null {
    const found = this.#ring.named(name);
    if (found === null || !ifMissing) {
      this.#ring.checkNameIsFree(name);
      return null;
    }
    if (!sameSpec(found.reference.spec, spec)) throw new Refusal("mismatch");
    return found;
  }
}

function checkKey(name: KeyName, spec: KeySpec): void {
  if (!isNamed(name)) throw new Refusal("badInput");
  const problem = specProblem(spec);
  if (problem === null) return;
  throw problem.policy === null ? new Refusal("badInput") : refusedBy(problem.policy);
}
