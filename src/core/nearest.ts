// The word that was meant: for "did you mean" in errors.

/** The allowed name within two edits of `name` (one of a short name), or undefined. */
export function nearest(name: string, allowed: readonly string[]): string | undefined {
  if (name.length > 64) return undefined;
  const plain = name.toLowerCase();
  const ranked = allowed
    .map((each) => [distance(plain, each.toLowerCase()), each] as const)
    .sort((a, b) => a[0] - b[0]);
  const [edits, found] = ranked[0] ?? [Number.POSITIVE_INFINITY];
  return edits <= 2 && edits < Math.max(2, plain.length) ? found : undefined;
}

/** Insertions, deletions, changes and swaps of neighbours. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? before[j - 2]! + 1 : change;
      next.push(Math.min(change, swap, row[j]! + 1, next[j - 1]! + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
