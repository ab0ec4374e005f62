/**
 * Lists of numbered owners, linked through arrays: no owner has an object of its own, and none of
 * what is done here grows with the length of a list. An owner may be in several lists at once.
 */
export class Links {
  #next: Int32Array = new Int32Array(firstRoom);
  #before: Int32Array = new Int32Array(firstRoom);
  #owner: Int32Array = new Int32Array(firstRoom);
  /** The next link of the same owner, or the next free one; -1: none. */
  #other: Int32Array = new Int32Array(firstRoom);
  #used = 0;
  #free = -1;

  /** An empty list. It lasts for ever. */
  newList(): number {
    const list = this.#take();
    this.#owner[list] = -1;
    this.#next[list] = list;
    this.#before[list] = list;
    return list;
  }

  isEmpty(list: number): boolean {
    return this.#next[list] === list;
  }

  /** The owner that has been in `list` longest; -1 when it is empty. */
  first(list: number): number {
    return this.#owner[this.#next[list]!]!;
  }

  /** Adds `owner` at the end. `links` are those that it has, -1 for none; gives them with the new one. */
  add(list: number, owner: number, links: number): number {
    const link = this.#take();
    const last = this.#before[list]!;
    this.#owner[link] = owner;
    this.#other[link] = links;
    this.#join(last, link);
    this.#join(link, list);
    return link;
  }

  /** Takes an owner with these links out of all its lists. */
  remove(links: number): void {
    for (let link = links; link >= 0;) {
      const other = this.#other[link]!;
      this.#join(this.#before[link]!, this.#next[link]!);
      this.#other[link] = this.#free;
      this.#free = link;
      link = other;
    }
  }

  /** All owners of `from` go to the end of `to`. */
  moveAll(from: number, to: number): void {
    if (this.isEmpty(from)) return;
    const first = this.#next[from]!;
    const last = this.#before[from]!;
    this.#join(this.#before[to]!, first);
    this.#join(last, to);
    this.#join(from, from);
  }

  #join(link: number, next: number): void {
    this.#next[link] = next;
    this.#before[next] = link;
  }

  #take(): number {
    if (this.#free >= 0) {
      const link = this.#free;
      this.#free = this.#other[link]!;
      return link;
    }
    if (this.#used === this.#next.length) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    const room = this.#used + (this.#used >> 1);
    this.#next = grown(this.#next, room);
    this.#before = grown(this.#before, room);
    this.#owner = grown(this.#owner, room);
    this.#other = grown(this.#other, room);
  }
}

const firstRoom = 64;

export function grown(array: Int32Array, room: number): Int32Array {
  const larger = new Int32Array(room);
  larger.set(array);
  return larger;
}
