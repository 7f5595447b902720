/** What can go wrong in this example by the user's doing or the data's; printed without a stack. */
export type DigitsErrorCode =
  | "usage"
  | "idx-magic"
  | "idx-truncated"
  | "idx-trailing"
  | "idx-count-mismatch"
  | "idx-label-range"
  | "data-missing"
  | "weights-unreadable"
  | "weights-format"
  | "weights-mismatch"
  | "diverged";

export class DigitsError extends Error {
  override readonly name = "DigitsError";

  constructor(
    readonly code: DigitsErrorCode,
    message: string,
  ) {
    super(message);
  }
}
