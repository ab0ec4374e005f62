/** `npm run soak` does the random tests many times longer than `npm test`. */
export const soaking: boolean = (process.env["QUORUMLAB_SOAK"] ?? "") !== "";
const times = 20;

/** How many random cases to try, given how many are tried usually. */
export function runs(usual: number): number {
  return soaking ? usual * times : usual;
}
