/** Under what a replica's standing is kept: its group and its node. */
const nodesMax = 256;

/** Key of a standing. */
export function standingKey(group: number, node: number): number {
  return group * nodesMax + node;
}
