import type { Boot, NodeId } from "../ids.js";

/**
 * Frames between nodes. A frame arrives whole or not at all; late, twice, out of order, or never.
 * Arrivals come back through `NetworkEvents`, never from inside a call.
 */
export interface Network {
  /**
   * Hands over a batch of whole frames for one peer, in order. The bytes belong to the network from
   * now on. Frames for a peer whose queue is full or whose link is down are dropped.
   */
  send(to: NodeId, frames: readonly Uint8Array[]): void;
}

/** What a world tells a node about its links. */
export interface NetworkEvents {
  frameArrived(from: NodeId, frame: Uint8Array): void;
  /** After the greeting: which start of the peer, and which disk, the link leads to. */
  linkUp(peer: NodeId, boot: Boot, disk: number): void;
  linkDown(peer: NodeId): void;
}
