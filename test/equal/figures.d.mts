/** Name and hash of each figure. */
export function figures(
  library: object,
  timed: object,
  options?: { wide?: boolean },
): Generator<[string, string]>;
