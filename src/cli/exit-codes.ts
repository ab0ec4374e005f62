/** How the program ends. From 64 on as in BSD's sysexits. */
export const exitCode = {
  held: 0,
  violated: 1,
  undecided: 2,
  notDeterministic: 3,
  usage: 64,
  damagedFile: 65,
  noFile: 66,
  missing: 69,
  ourFault: 70,
  cannotWrite: 73,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

export const exitMeanings: Readonly<Record<ExitCode, string>> = {
  0: "all held",
  1: "a property was violated",
  2: "undecided: a budget ran out, or something that must happen never did",
  3: "not deterministic",
  64: "wrong usage",
  65: "a file that cannot be understood",
  66: "a file that is not there",
  69: "something needed is missing",
  70: "a fault of quorumlab's own",
  73: "an output that cannot be written",
  130: "interrupted; what was found so far is saved",
};
