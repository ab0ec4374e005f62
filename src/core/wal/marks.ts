/** Rare branches of this part: name and what it stands for. */
export const walMarks = {
} as const satisfies Record<string, string>;
