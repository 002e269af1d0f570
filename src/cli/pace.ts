// Long work in slices of a few hundredths of a second: between two of them signals are seen.
import { breathe, type Terminal } from './terminal.js';

const AIM_MS = 25;

/** Finds how much of a kind of work takes about AIM_MS. */
export class Pace {
  size: number;

  constructor(first: number) {
    this.size = first;
  }

  /** What the next slice should hold after one of `size` took `ms`. */
  after(ms: number, most = 2 ** 31): number {
    const fit = this.size * Math.min(2, Math.max(0.1, AIM_MS / Math.max(ms, 0.01)));
    this.size = Math.min(most, Math.max(1, Math.round(fit)));
    return this.size;
  }
}

/** Lets signals in when the last time is long enough ago: for slices that are short already. */
export class Breather {
  #last = performance.now();
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  async rest(share: number, text: string): Promise<void> {
    if (performance.now() - this.#last < AIM_MS) return;
    this.#terminal.progress(share, text);
    await breathe();
    this.#last = performance.now();
  }
}
