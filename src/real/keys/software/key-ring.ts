/** The keys that a `SoftwareHsm` has at hand: those of its file, and those of this session. */
import type { KeyName, KeyReference } from "../../../core/hsm/keys.js";
import { isReferenced, sameName } from "../key-names.js";
import { KeyFileError } from "./key-file-error.js";
import type { KeyFile } from "./key-file.js";
import { describeKey, keyOfRecord, type HeldKey } from "./held-key.js";
import { refusedBy, Refusal } from "./refusal.js";

/** Keys that live until the store is closed, no more at once. */
export const sessionKeysMax = 1_024;
/** Names of deleted session keys; the oldest is forgotten first. */
const goneNamesMax = 16_384;

const nameOf = ({ label, version }: KeyName): string => `${label}/${version}`;

export class KeyRing {
  readonly #file: KeyFile;
  /** By id. */
  readonly #permanent = new Map<string, HeldKey>();
  readonly #session = new Map<string, HeldKey>();
  readonly #goneNames = new Set<string>();
  /** How often the file's keys turned out to be others than before. */
  epoch = 0;

  constructor(file: KeyFile) {
    this.#file = file;
    this.follow();
  }

  /** Takes over what the file holds now. */
  follow(): void {
    const wanted = new Set(this.#file.records.keys.map(({ id }) => id));
    for (const [id, key] of this.#permanent) {
      if (wanted.has(id)) continue;
      key.material.fill(0);
      this.#permanent.delete(id);
    }
    for (const record of this.#file.records.keys) {
      if (this.#permanent.has(record.id)) continue;
      const key = keyOfRecord(record);
      if (key === null) throw new KeyFileError("damaged", this.#file.path);
      this.#permanent.set(record.id, key);
    }
  }

  /** Reads the file again if another process has written it. */
  async refresh(): Promise<void> {
    if (!(await this.#file.refresh())) return;
    this.epoch++;
    this.follow();
  }

  /** The key that was written down: looked up by its id, and compared with all that is known of it. */
  get(reference: KeyReference): HeldKey {
    const { id } = reference;
    const found = this.#permanent.get(id) ?? this.#session.get(id);
    if (found === undefined) throw new Refusal("notFound");
    if (!isReferenced(reference, found.reference)) throw new Refusal("mismatch");
    return found;
  }

  /** Ordered by label and version. */
  all(label?: string): HeldKey[] {
    const every = [...this.#permanent.values(), ...this.#session.values()];
    return every
      .filter(({ reference }) => label === undefined || reference.label === label)
      .sort(
        ({ reference: a }, { reference: b }) =>
          (a.label < b.label ? -1 : a.label > b.label ? 1 : 0) || a.version - b.version,
      );
  }

  named(name: KeyName): HeldKey | null {
    return this.all(name.label).find(({ reference }) => sameName(reference, name)) ?? null;
  }

  /** One key for each name, for ever (policy P19). */
  checkNameIsFree(name: KeyName): void {
    const gone = this.#file.records.tombstones.some((stone) => sameName(stone.name, name));
    if (gone || this.#goneNames.has(nameOf(name)) || this.named(name) !== null) {
      throw refusedBy("P19");
    }
  }

  holdForSession(key: HeldKey): void {
    if (this.#session.size >= sessionKeysMax) throw new Refusal("full");
    this.#session.set(key.reference.id, key);
  }

  dropFromSession({ reference, material }: HeldKey): void {
    material.fill(0);
    this.#session.delete(reference.id);
    this.#goneNames.add(nameOf(reference));
    if (this.#goneNames.size > goneNamesMax) {
      this.#goneNames.delete(this.#goneNames.values().next().value!);
    }
  }

  wipe(): void {
    for (const keys of [this.#permanent, this.#session]) {
      for (const { material } of keys.values()) material.fill(0);
      keys.clear();
    }
  }

  describe(label?: string): ReturnType<typeof describeKey>[] {
    return this.all(label).map(describeKey);
  }
}
