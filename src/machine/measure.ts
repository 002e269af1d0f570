// Measures send paths against each other: what each costs the sender by count, and the host
// nanoseconds that simulating one call takes, both sides alternating in one process.
import { checkFunction, checkNumber, checkOptions, type KeysOf } from '../core/check.js';
import type { Driver, Era, MachineOptions } from '../core/config.js';
import type { SenderCosts } from '../core/counters.js';
import { checkInteger } from '../core/errors.js';
import { Machine } from './machine.js';
import type { StormOptions } from './storm.js';

export interface Candidate {
  era: Era;
  driver: Driver;
  /** single, mask, shorthand ... */
  path: string;
  /** Targets of one call. */
  targets: number;
  machine: MachineOptions;
  storm: StormOptions;
}

export interface Measured extends Candidate {
  /** Sender costs of one call (means). */
  perCall: SenderCosts;
  /** Host nanoseconds for one call with all its targets' interrupts; not hardware time. */
  hostNs: { median: number; p25: number; p75: number };
  eventHash: string;
}

export interface MeasureOptions {
  /** Rounds; each times every candidate once, in turn. Default 15. */
  rounds?: number;
  /** Aimed time of one slice in ns. Default 1 ms. */
  sliceNs?: number;
  /** Monotonic clock in ns. */
  now: () => number;
}

/** What a measurement tells between its slices. */
export interface MeasureProgress {
  what: 'warming up' | 'timing' | 'counting';
  /** Of all that is to do, 0-1. */
  share: number;
}

const MEASURE_KEYS: KeysOf<MeasureOptions> = {
  rounds: true,
  sliceNs: true,
  now: true,
};

interface Runner {
  candidate: Candidate;
  machine: Machine;
  sends: number;
  samples: number[];
}

/**
 * Warms one candidate up and sizes its slice: the shortest of three timings, so that a pause of the
 * host does not pass for a long slice. Yields between the timings.
 */
function* prepare(runner: Runner, options: MeasureOptions): Generator<void, void, undefined> {
  const aim = options.sliceNs ?? 1e6;
  while (runner.sends < 1e6) {
    let shortest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      shortest = Math.min(shortest, Math.max(1, timeSlice(runner, options.now)));
      yield;
    }
    if (shortest >= aim) break;
    runner.sends = Math.min(1e6, Math.ceil(runner.sends * Math.min(8, 1.2 * (aim / shortest))));
  }
}

function timeSlice(runner: Runner, now: () => number): number {
  const start = now();
  runner.machine.storm({ ...runner.candidate.storm, sends: runner.sends, slice: runner.sends });
  return now() - start;
}

function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  return sorted[low]! + (sorted[Math.ceil(at)]! - sorted[low]!) * (at - low);
}

/**
 * Measures, a short slice at a time. `next(true)` ends it early with what was timed: nothing before
 * the first round is complete.
 * @throws UsageError, at the first next(), for options that it doesn't have
 */
export function* measureSlices(
  candidates: readonly Candidate[],
  options: MeasureOptions,
): Generator<MeasureProgress, Measured[], boolean | undefined> {
  const { rounds = 15, sliceNs = 1e6 } = checkOptions('options', options, MEASURE_KEYS);
  checkInteger('rounds', rounds, 1, 1e6);
  checkNumber('sliceNs', sliceNs, 1, 1e12);
  checkFunction('now', options.now);
  const runners: Runner[] = [];
  for (const [i, candidate] of candidates.entries()) {
    const machine = Machine.create(candidate.machine);
    const runner = { candidate, machine, sends: 1, samples: [] };
    for (const _ of prepare(runner, options)) {
      if (yield { what: 'warming up', share: (0.2 * i) / candidates.length }) return [];
    }
    runners.push(runner);
  }
  let stop = false;
  for (let round = 0; round < rounds && !stop; round++) {
    for (const [i, runner] of runners.entries()) {
      runner.samples.push(timeSlice(runner, options.now) / runner.sends);
      const share = 0.2 + 0.7 * ((round + i / runners.length) / rounds);
      stop = (yield { what: 'timing', share }) === true || stop;
      if (stop && round === 0) return [];
    }
  }
  const done: Measured[] = [];
  for (const [i, runner] of runners.entries()) {
    done.push(finish(runner));
    yield { what: 'counting', share: 0.9 + 0.1 * (i / runners.length) };
  }
  return done;
}

/** Counts come from a fresh machine, so that they do not depend on how many rounds were timed. */
function finish({ candidate, samples }: Runner): Measured {
  const calls = 64;
  const machine = Machine.create(candidate.machine);
  const { costs, eventHash } = machine.storm({ ...candidate.storm, sends: calls });
  const perCall = Object.fromEntries(
    Object.entries(costs).map(([key, n]) => [key, n / calls]),
  ) as unknown as SenderCosts;
  const sorted = samples.sort((a, b) => a - b);
  return {
    ...candidate,
    perCall,
    eventHash,
    hostNs: {
      median: quantile(sorted, 0.5),
      p25: quantile(sorted, 0.25),
      p75: quantile(sorted, 0.75),
    },
  };
}

/** -1: a is faster; 1: slower; 0: the interquartile ranges overlap, no difference measured. */
export function compareHost(a: Measured, b: Measured): -1 | 0 | 1 {
  if (a.hostNs.p75 < b.hostNs.p25) return -1;
  return a.hostNs.p25 > b.hostNs.p75 ? 1 : 0;
}

/** The five paths of the comparison for one era and driver: single, masks of `sizes`, everybody. */
export function candidatesFor(
  era: Era,
  driver: Driver,
  machine: MachineOptions,
  cpus: number,
  sizes: readonly number[],
): Candidate[] {
  const base = { era, driver, machine: { ...machine, era, driver } };
  const vectors = [0xfb];
  const one = { pattern: 'ring', vectors } as const;
  const out: Candidate[] = [
    { ...base, path: 'single', targets: 1, storm: { ...one, via: 'single' } },
    { ...base, path: 'mask', targets: 1, storm: { ...one, via: 'mask' } },
  ];
  for (const size of sizes.filter((k) => k > 1 && k < cpus - 1)) {
    const many = { pattern: 'mask', size, vectors } as const;
    out.push({ ...base, path: 'singles', targets: size, storm: { ...many, via: 'single' } });
    out.push({ ...base, path: 'mask', targets: size, storm: { ...many, via: 'mask' } });
  }
  const all = { pattern: 'allbutself', vectors } as const;
  out.push({ ...base, path: 'mask', targets: cpus - 1, storm: { ...all, via: 'mask' } });
  out.push({ ...base, path: 'allbutself', targets: cpus - 1, storm: { ...all, via: 'shorthand' } });
  return out;
}
