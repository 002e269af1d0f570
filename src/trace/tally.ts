const NAMES_MAX = 10_000;

/** A bounded tally of names. */
export class Tally {
  readonly counts = new Map<string, number>();

  add(name: string, by = 1): void {
    const key = this.counts.has(name) || this.counts.size < NAMES_MAX ? name : '(other)';
    this.counts.set(key, (this.counts.get(key) ?? 0) + by);
  }

  top(most: number): { name: string; count: number }[] {
    return [...this.counts]
      .map(([name, count]) => ({ name, count }))
      .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
      .slice(0, most);
  }
}
