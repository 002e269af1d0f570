// The timestamps of a trace: which clock they are of, and whether they go back.
import type { TraceLine } from './line.js';
import type { Trace } from './trace.js';

export class TraceClock {
  #base: bigint | undefined;
  #latest = Number.NEGATIVE_INFINITY;
  /** The shortest step. */
  #step = Number.POSITIVE_INFINITY;
  #count = 0;
  #fromZero = false;

  /** ns or ticks from the first event's second; NaN without a time. */
  read({ whole, fraction, unit }: TraceLine, trace: Trace): number {
    if (unit === 'none') return Number.NaN;
    this.#base ??= BigInt(whole);
    const away =
      whole.length < 15 ? Number(whole) - Number(this.#base) : Number(BigInt(whole) - this.#base);
    const time = unit === 'ticks' ? away : away * 1e9 + Number(fraction.padEnd(9, '0'));
    if (time < this.#latest) trace.unordered++;
    else this.#step = Math.min(this.#step, time - this.#latest);
    if (this.#count++ === 0) this.#fromZero = time === 0 && this.#base === 0n;
    this.#latest = time;
    trace.first = Number.isNaN(trace.first) ? time : Math.min(trace.first, time);
    trace.last = Number.isNaN(trace.last) ? time : Math.max(trace.last, time);
    trace.clock = unit;
    return time;
  }

  /** Which clock it was, now that all of it is known. */
  finish(trace: Trace): void {
    // trace_clock counter goes up by one with each event of any CPU, shown or not; a TSC by hundreds,
    // and uptime has many events at one jiffy.
    const span = trace.last - trace.first + 1;
    const small = this.#count < 2 || (this.#step > 0 && this.#step < 32);
    if (trace.clock === 'ticks' && small && span <= 64 * this.#count + 64) trace.clock = 'counter';
    // perf script sorts: times from 0 that go back are the differences of --deltatime.
    if (trace.dialect.format === 'perf' && this.#fromZero && trace.unordered > 0) {
      trace.traits.add('--deltatime');
      trace.clock = 'none';
      trace.unordered = 0;
    }
  }
}
