/**
 * A small typed bus inside one process: events for whoever listens, and requests with one responder.
 * Synchronous; everybody hears events in the order in which they were published, also what a listener
 * publishes. What a listener or a responder throws harms nobody else.
 */

/** Name -> what is published under it. */
export type EventMap = { readonly [name: string]: unknown };
/** Name -> what is asked and what is answered under it. */
export type RequestMap = {
  readonly [name: string]: { readonly question: unknown; readonly reply: unknown };
};

export type Reply<Value> =
  | { readonly kind: "reply"; readonly value: Value }
  | { readonly kind: "noResponder" }
  /** The responder threw. */
  | { readonly kind: "failed" };

/** Takes a subscription or a responder away again; a second time it does nothing. */
export type Cancel = () => void;

export interface BusOptions {
  /** Listeners of one event. Default 256. */
  readonly listenersMax: number;
  /** Events that wait while others are told. Further ones are dropped. Default 4,096. */
  readonly eventsMax: number;
  /** Hears of everything that a listener or a responder throws. */
  readonly onError: (name: string, error: unknown) => void;
}

export const busDefaults: BusOptions = { listenersMax: 256, eventsMax: 4_096, onError: () => {} };

type Heard = (event: never) => void;
type Answers = (question: never) => unknown;

export class Bus<Events extends EventMap, Requests extends RequestMap> {
  readonly #options: BusOptions;
  /** Replaced, never changed: who is being told is told to the end. */
  readonly #listeners = new Map<PropertyKey, readonly Heard[]>();
  readonly #responders = new Map<PropertyKey, Answers>();
  readonly #waiting: { readonly name: PropertyKey; readonly event: unknown }[] = [];
  #telling = false;
  #dropped = 0;
  #failures = 0;

  constructor(options: Partial<BusOptions> = {}) {
    this.#options = { ...busDefaults, ...options };
  }

  /** Events that found too many before them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How often a listener or a responder threw. */
  get failures(): number {
    return this.#failures;
  }

  /** Null when the event has as many listeners as it may. */
  subscribe<Name extends keyof Events>(
    name: Name,
    listener: (event: Events[Name]) => void,
  ): Cancel | null {
    const present = this.#listeners.get(name) ?? [];
    if (present.length >= this.#options.listenersMax) return null;
    // A function of its own, so that one that listens twice is taken away once.
    const heard: Heard = (event) => listener(event);
    this.#listeners.set(name, [...present, heard]);
    return () => {
      const others = (this.#listeners.get(name) ?? []).filter((each) => each !== heard);
      if (others.length > 0) this.#listeners.set(name, others);
      else this.#listeners.delete(name);
    };
  }

  publish<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    if (this.#waiting.length >= this.#options.eventsMax) {
      this.#dropped++;
      return;
    }
    this.#waiting.push({ name, event });
    if (this.#telling) return;
    this.#telling = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#tell(next.name, next.event);
    }
    this.#telling = false;
  }

  /** Null when somebody answers already. */
  respond<Name extends keyof Requests>(
    name: Name,
    responder: (question: Requests[Name]["question"]) => Requests[Name]["reply"],
  ): Cancel | null {
    if (this.#responders.has(name)) return null;
    const answers: Answers = (question) => responder(question);
    this.#responders.set(name, answers);
    return () => {
      if (this.#responders.get(name) === answers) this.#responders.delete(name);
    };
  }

  request<Name extends keyof Requests>(
    name: Name,
    question: Requests[Name]["question"],
  ): Reply<Requests[Name]["reply"]> {
    const responder = this.#responders.get(name);
    if (responder === undefined) return { kind: "noResponder" };
    try {
      return { kind: "reply", value: responder(question as never) };
    } catch (error) {
      this.#failed(name, error);
      return { kind: "failed" };
    }
  }

  #tell(name: PropertyKey, event: unknown): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(event as never);
      } catch (error) {
        this.#failed(name, error);
      }
    }
  }

  #failed(name: PropertyKey, error: unknown): void {
    this.#failures++;
    try {
      this.#options.onError(String(name), error);
    } catch {
      // Who hears of errors has one of its own: it is counted with the first.
    }
  }
}
