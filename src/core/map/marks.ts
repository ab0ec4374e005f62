/** Rare branches of this part: name and what it stands for. */
export const mapMarks = {
  jobRefusedAsBusy: "a job was refused because another is at work on the same group",
  jobCancelled: "a job was cancelled and what it had begun is taken back",
  cancelledTooLate: "a job could not be cancelled any more",
  lateReportDropped: "a step was reported done that was over already",
} as const;
