/** Which objects a module sees, and by which handles. */
import type { Handle, Template } from "../../core/hsm/cryptoki/calls.js";
import { cka } from "../../core/hsm/cryptoki/constants.js";
import { attributesOf, isSet, numberOf } from "./attribute-bytes.js";
import { matches } from "./object-rules.js";
import type { DurableToken, TokenObject } from "./token.js";

export class ObjectTable {
  /** Of sessions, each with the one that it goes with. */
  readonly #passing = new Map<TokenObject, Handle>();
  readonly #byHandle = new Map<Handle, TokenObject>();
  readonly #handles = new Map<TokenObject, Handle>();
  readonly #nextHandle: () => Handle;
  /** Null: everything that is in the token is seen. */
  #snapshot: Set<TokenObject> | null;

  constructor(nextHandle: () => Handle, snapshot: ReadonlySet<TokenObject> | null) {
    this.#nextHandle = nextHandle;
    this.#snapshot = snapshot === null ? null : new Set(snapshot);
  }

  /** `session` null: an object of the token. */
  add(token: DurableToken, attributes: Map<number, Uint8Array>, session: Handle | null): Handle {
    const object: TokenObject = { attributes };
    if (session === null) token.objects.add(object);
    else this.#passing.set(object, session);
    this.#snapshot?.add(object);
    return this.#handleOf(object);
  }

  /** Without a handle, until a search finds it. */
  leave(token: DurableToken, attributes: Map<number, Uint8Array>, session: Handle | null): void {
    const object: TokenObject = { attributes };
    if (session === null) token.objects.add(object);
    else this.#passing.set(object, session);
    this.#snapshot?.add(object);
  }

  /** Null: the handle names nothing that is there. */
  at(token: DurableToken, handle: Handle): TokenObject | null {
    const object = this.#byHandle.get(handle);
    if (object === undefined) return null;
    return token.objects.has(object) || this.#passing.has(object) ? object : null;
  }

  isPassing(object: TokenObject): boolean {
    return this.#passing.has(object);
  }

  destroy(token: DurableToken, object: TokenObject): void {
    token.objects.delete(object);
    this.#passing.delete(object);
    this.#forget(object);
  }

  /** Private ones with a login alone. */
  find(token: DurableToken, template: Template, loggedIn: boolean, max: number): Handle[] {
    const wanted = attributesOf(template);
    const found: Handle[] = [];
    for (const objects of [token.objects, this.#passing.keys()]) {
      for (const object of objects) {
        if (found.length >= max) return found;
        const { attributes } = object;
        if (!loggedIn && isSet(attributes, cka.private)) continue;
        const seen = this.#snapshot === null || this.#snapshot.has(object);
        if (seen && matches(attributes, wanted)) found.push(this.#handleOf(object));
      }
    }
    return found;
  }

  /** Its objects go with it. */
  sessionClosed(session: Handle): void {
    for (const [object, owner] of this.#passing) {
      if (owner !== session) continue;
      this.#passing.delete(object);
      this.#forget(object);
    }
  }

  /** The login is over: private handles are void, and private objects of sessions gone. */
  loggedOut(): void {
    for (const object of [...this.#handles.keys(), ...this.#passing.keys()]) {
      if (!isSet(object.attributes, cka.private)) continue;
      this.#passing.delete(object);
      this.#forget(object);
    }
  }

  /** The last session is closed. */
  clear(): void {
    this.#passing.clear();
    this.#handles.clear();
    this.#byHandle.clear();
  }

  /** Each handle of a key to the next key of its class; how many moved. */
  moveHandles(): number {
    const byClass = new Map<number, Handle[]>();
    for (const [handle, { attributes }] of this.#byHandle) {
      const objectClass = numberOf(attributes, cka.class);
      byClass.set(objectClass, [...(byClass.get(objectClass) ?? []), handle]);
    }
    let moved = 0;
    for (const handles of byClass.values()) {
      if (handles.length < 2) continue;
      moved += handles.length;
      const objects = handles.map((handle) => this.#byHandle.get(handle)!);
      objects.push(objects.shift()!);
      for (const [at, handle] of handles.entries()) {
        this.#byHandle.set(handle, objects[at]!);
        this.#handles.set(objects[at]!, handle);
      }
    }
    return moved;
  }

  #handleOf(object: TokenObject): Handle {
    const known = this.#handles.get(object);
    if (known !== undefined) return known;
    const handle = this.#nextHandle();
    this.#handles.set(object, handle);
    this.#byHandle.set(handle, object);
    return handle;
  }

  #forget(object: TokenObject): void {
    const handle = this.#handles.get(object);
    if (handle === undefined) return;
    this.#handles.delete(object);
    this.#byHandle.delete(handle);
  }
}
