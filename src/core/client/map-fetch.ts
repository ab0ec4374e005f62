/** The map is fetched anew when answers show that it may be old: by one request at a time. */
import { copyBytes } from "../bytes.js";
import { type NodeId, metaGroup } from "../ids.js";
import type { ClientAnswer } from "../store/client-protocol.js";
import { send } from "./requests.js";
import { type ClientCore, waitUs } from "./state.js";

/** Asks for the map when it is wanted, and when the node asked before has not answered. */
export function fetchMap(core: ClientCore): void {
  const { state, times } = core;
  const { fetch } = state;
  if (fetch.request !== 0 && fetch.actAtUs > core.now) return;
  if (fetch.request !== 0) endFetch(core);
  // Nobody waits for it any more; the next operation will say whether it is needed.
  if (state.operations.size === 0) fetch.wanted = false;
  fetch.actAtUs = fetch.wanted ? fetch.notBeforeUs : Infinity;
  if (fetch.actAtUs > core.now) return;
  const nodes = knownNodes(core);
  const node = nodes[fetch.turn % nodes.length]!;
  fetch.request = send(core, node, { kind: "map", known: state.mapVersion });
  state.requests.set(fetch.request, { purpose: "map", of: 0, node, group: 0 });
  fetch.actAtUs = core.now + waitUs(core, times.timeoutUs, 0);
  fetch.notBeforeUs = core.now + times.mapEveryUs;
}

export function mapAnswered(core: ClientCore, answer: ClientAnswer): void {
  const { fetch, mapVersion } = core.state;
  if (answer.kind === "map") {
    const newer = answer.version > mapVersion;
    if (newer && !install(core, answer)) return core.options.marks.hit("clientMapRefused");
    fetch.wanted = false;
  } else if (answer.kind !== "refused") {
    return core.options.marks.hit("clientAnswerDropped");
  }
  endFetch(core);
}

/** The next one is asked of another node. */
function endFetch({ state: { fetch, requests } }: ClientCore): void {
  requests.delete(fetch.request);
  fetch.request = 0;
  fetch.turn++;
}

/** False when it is no map of this cluster. */
function install(core: ClientCore, answer: ClientAnswer & { kind: "map" }): boolean {
  const { state, options } = core;
  const routing = options.decodeMap?.(answer.bytes) ?? null;
  if (routing?.version !== answer.version || routing.slotCount !== options.slotCount) return false;
  core.routing = routing;
  state.mapBytes = copyBytes(answer.bytes);
  state.mapVersion = routing.version;
  options.marks.hit("clientMapInstalled");
  for (const operation of state.operations.values()) {
    if (operation.current === 0) operation.actAtUs = core.now;
  }
  return true;
}

/** Those that have the map, by the map; and those that the client was made with. */
function knownNodes({ routing, options }: ClientCore): readonly NodeId[] {
  const nodes = routing?.nodesOf(metaGroup) ?? [];
  return [...nodes, ...options.seeds.filter((seed) => !nodes.includes(seed))];
}
