declare module "seedrandom/lib/alea.js" {
  interface Alea {
    (): number;
    int32(): number;
  }
  function alea(seed: string): Alea;
  export default alea;
}
