// A latency histogram as the core keeps it: HdrHistogram's buckets, three digits, picoseconds.
import { T } from '../core/memory.js';

const SUB = 2 ** T.HIST_SUB_BITS;

/** Lowest value counted at an index. */
export function bucketStart(index: number): number {
  if (index < SUB) return index;
  const bucket = Math.floor(index / (SUB / 2)) - 1;
  return (index - bucket * (SUB / 2)) * 2 ** bucket;
}

/** Highest value counted at an index. */
export function bucketEnd(index: number): number {
  return bucketStart(index + 1) - 1;
}

export interface Percentiles {
  count: number;
  min_ns: number;
  mean_ns: number;
  p50_ns: number;
  p90_ns: number;
  p99_ns: number;
  p999_ns: number;
  p9999_ns: number;
  max_ns: number;
}

export class Histogram {
  readonly count: number;
  readonly sumPs: number;
  readonly minPs: number;
  readonly maxPs: number;
  /** [index, count] of buckets that are not empty. */
  readonly buckets: readonly (readonly [number, number])[];

  constructor(view: DataView, at: number) {
    const read = (offset: number) => Number(view.getBigUint64(at + offset, true));
    this.count = read(0);
    this.sumPs = read(8);
    this.minPs = read(16);
    this.maxPs = read(24);
    const buckets: [number, number][] = [];
    for (let i = 0; i < T.HIST_COUNTS && this.count > 0; i++) {
      const count = read(T.HIST_HEADER + 8 * i);
      if (count > 0) buckets.push([i, count]);
    }
    this.buckets = buckets;
  }

  get meanPs(): number {
    return this.count === 0 ? 0 : this.sumPs / this.count;
  }

  /** The value that `share` (0-1) of all do not exceed: the highest equivalent one, as HdrHistogram has it. */
  quantilePs(share: number): number {
    if (this.count === 0) return 0;
    const rank = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (const [index, count] of this.buckets) {
      seen += count;
      if (seen >= rank) return Math.min(bucketEnd(index), this.maxPs);
    }
    return this.maxPs;
  }

  /** [ps, share of all that took no longer] at the end of each bucket that is not empty. */
  cdf(): [number, number][] {
    let seen = 0;
    return this.buckets.map(([index, count]) => {
      seen += count;
      return [Math.min(bucketEnd(index), this.maxPs), seen / this.count];
    });
  }

  summary(): Percentiles {
    const ns = (ps: number) => Math.round(ps) / 1000;
    return {
      count: this.count,
      min_ns: ns(this.minPs),
      mean_ns: ns(this.meanPs),
      p50_ns: ns(this.quantilePs(0.5)),
      p90_ns: ns(this.quantilePs(0.9)),
      p99_ns: ns(this.quantilePs(0.99)),
      p999_ns: ns(this.quantilePs(0.999)),
      p9999_ns: ns(this.quantilePs(0.9999)),
      max_ns: ns(this.maxPs),
    };
  }

  /** Counts by power of two of nanoseconds: [from, to), as bpftrace's hist() has them. */
  log2(): { from_ns: number; to_ns: number; count: number }[] {
    const rows: { from_ns: number; to_ns: number; count: number }[] = [];
    for (const [index, count] of this.buckets) {
      const ns = Math.floor(bucketStart(index) / 1000);
      const power = ns < 1 ? 0 : Math.floor(Math.log2(ns));
      const from = ns < 1 ? 0 : 2 ** power;
      const last = rows.at(-1);
      if (last?.from_ns === from) last.count += count;
      else rows.push({ from_ns: from, to_ns: ns < 1 ? 1 : 2 ** (power + 1), count });
    }
    return rows;
  }
}
