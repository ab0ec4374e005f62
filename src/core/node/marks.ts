/** Rare branches of this part: name and what it stands for. */
export const nodeMarks = {
} as const satisfies Record<string, string>;
