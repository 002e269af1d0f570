// Untimed storms: who sends to whom, how, how often; and what became of it.

import { checkList, checkName, checkOptions, checkWide, type KeysOf } from '../core/check.js';
import { type Counters, type SenderCosts, snakeKeys } from '../core/counters.js';
import { checkInteger, usage } from '../core/errors.js';
import { C, L } from '../core/memory.js';

export const PATTERNS = {
  self: C.PATTERN_SELF,
  pairs: C.PATTERN_PAIRS,
  ring: C.PATTERN_RING,
  random: C.PATTERN_RANDOM,
  hot: C.PATTERN_HOT,
  mask: C.PATTERN_MASK_CONTIGUOUS,
  'mask-strided': C.PATTERN_MASK_STRIDED,
  'mask-random': C.PATTERN_MASK_RANDOM,
  allbutself: C.PATTERN_ALLBUTSELF,
} as const;
export const VIAS = {
  icr: C.VIA_ICR,
  single: C.VIA_SINGLE,
  mask: C.VIA_MASK,
  shorthand: C.VIA_SHORTHAND,
  call: C.VIA_CALL,
} as const;

/** Who sends to whom. */
export type Pattern = keyof typeof PATTERNS;
/**
 * How each send goes out: a bare ICR write; Linux's send_IPI; send_IPI_mask; send_IPI_allbutself;
 * or send_call_func_ipi (vector 0xfc).
 */
export type Via = keyof typeof VIAS;

export interface StormOptions {
  /** Default random. */
  pattern?: Pattern;
  /** Default: single for one target, mask for masks, shorthand for allbutself. */
  via?: Via;
  /** Sends, 1 - 2^53. One send may reach many targets. Default 1,000,000. */
  sends?: number;
  /** Vectors, in turn (random: drawn), 0-255; default 0xfb, 0xfc, 0xfd. Below 16: rejected by the APIC. */
  vectors?: readonly number[];
  /** Sends before the targets run their handlers, 1 - 2^31. Default 1. */
  depth?: number;
  /** 0 - 2^64-1. Default 1. */
  seed?: number | bigint;
  /** Target CPU of `hot`. Default 0. */
  target?: number;
  /** CPUs in a mask, 1 - cpus-1. Default the smaller of 16 and cpus-1. */
  size?: number;
  /** Distance between CPUs of mask-strided, 1 - cpus. Default 2. */
  stride?: number;
  /** TPR for every CPU, or by CPU; kept after the storm. */
  tpr?: number | ReadonlyMap<number, number>;
  /** Sends between progress reports and invariant checks; by default sized to about 200,000 IPIs. */
  slice?: number;
}

export interface StormResult {
  pattern: Pattern;
  via: Via;
  cpus: number;
  sends: number;
  depth: number;
  seed: string;
  vectors: number[];
  counters: Counters;
  costs: SenderCosts;
  /** 16 hex digits; the same on every machine and however the run is split. */
  eventHash: string;
}

const STORM_KEYS: KeysOf<StormOptions> = {
  pattern: true,
  via: true,
  sends: true,
  vectors: true,
  depth: true,
  seed: true,
  target: true,
  size: true,
  stride: true,
  tpr: true,
  slice: true,
};

/** A storm whose options were checked, defaults filled in. */
export interface ResolvedStorm extends Required<Omit<StormOptions, 'tpr' | 'seed'>> {
  seed: bigint;
  /** [cpu, TPR], in the order given. */
  tprs: [number, number][];
}

const MANY: ReadonlySet<Pattern> = new Set<Pattern>(['mask', 'mask-strided', 'mask-random']);

function defaultVia(pattern: Pattern): Via {
  if (pattern === 'allbutself') return 'shorthand';
  return MANY.has(pattern) ? 'mask' : 'single';
}

/** Targets that one send reaches. */
function targetsPerSend(pattern: Pattern, size: number, cpus: number): number {
  if (pattern === 'allbutself') return cpus - 1;
  return MANY.has(pattern) ? size : 1;
}

function resolveVia({ via }: StormOptions, pattern: Pattern): Via {
  const chosen = via === undefined ? defaultVia(pattern) : checkName('via', via, VIAS);
  if (chosen === 'shorthand' && pattern !== 'allbutself') {
    throw usage(
      'via',
      chosen,
      'icr, single, mask, call with this pattern',
      'shorthand goes with allbutself',
    );
  }
  return chosen;
}

function resolveVectors(given: readonly number[] = [0xfb, 0xfc, 0xfd]): number[] {
  const vectors = checkList('vectors', given, 256);
  if (vectors.length === 0) throw usage('vectors', 'none', '1-256 of them');
  return vectors.map((vector, i) => checkInteger(`vectors[${i}]`, vector, 0, 255));
}

function resolveTprs(tpr: StormOptions['tpr'], cpus: number): [number, number][] {
  if (tpr === undefined) return [];
  if (typeof tpr === 'number') {
    const value = checkInteger('tpr', tpr, 0, 255);
    return Array.from({ length: cpus }, (_, cpu) => [cpu, value]);
  }
  if (Object.prototype.toString.call(tpr) !== '[object Map]')
    throw usage('tpr', tpr, 'an integer 0-255, or a Map of them by CPU');
  return Array.from(tpr, ([cpu, value]) => [
    checkInteger('tpr (CPU)', cpu, 0, cpus - 1),
    checkInteger(`tpr of CPU ${cpu}`, value, 0, 255),
  ]);
}

/** Fills in defaults and refuses what no storm has. */
export function resolveStorm(options: StormOptions, cpus: number): ResolvedStorm {
  const {
    pattern = 'random',
    sends = 1e6,
    depth = 1,
    seed = 1n,
  } = checkOptions('options', options, STORM_KEYS);
  const { target = 0, stride = Math.min(2, cpus) } = options;
  const { size = Math.max(1, Math.min(16, cpus - 1)) } = options;
  checkName('pattern', pattern, PATTERNS);
  if (pattern !== 'self' && cpus < 2)
    throw usage('pattern', pattern, 'self on a machine of one CPU');
  const via = resolveVia(options, pattern);
  checkInteger('size', size, 1, Math.max(1, cpus - 1));
  const { slice = Math.max(1, Math.floor(2e5 / targetsPerSend(pattern, size, cpus))) } = options;
  return {
    pattern,
    via,
    sends: checkInteger('sends', sends, 1, Number.MAX_SAFE_INTEGER),
    vectors: resolveVectors(options.vectors),
    depth: checkInteger('depth', depth, 1, 2 ** 31),
    seed: checkWide('seed', seed),
    target: checkInteger('target', target, 0, cpus - 1),
    size,
    stride: checkInteger('stride', stride, 1, cpus),
    slice: checkInteger('slice', slice, 1, 2 ** 31),
    tprs: resolveTprs(options.tpr, cpus),
  };
}

/** Writes a storm's parameters into the header and rewinds it. */
function armStorm(view: DataView, storm: ResolvedStorm): void {
  view.setBigUint64(L.S_INDEX, 0n, true);
  view.setBigUint64(L.S_SEED, storm.seed, true);
  const words: [number, number][] = [
    [L.S_PATTERN, PATTERNS[storm.pattern]],
    [L.S_VIA, VIAS[storm.via]],
    [L.S_DEPTH, storm.depth],
    [L.S_WAITING, 0],
    [L.S_VECTOR_COUNT, storm.vectors.length],
    [L.S_VECTOR_NEXT, 0],
    [L.S_SOURCE_NEXT, 0],
    [L.S_TARGET, storm.target],
    [L.S_SIZE, storm.size],
    [L.S_STRIDE, storm.stride],
  ];
  for (const [at, value] of words) view.setUint32(at, value, true);
  storm.vectors.forEach((vector, i) => {
    view.setUint8(L.S_VECTORS + i, vector);
  });
}

/** What a storm tells between slices. */
export interface StormProgress {
  /** Sends made so far, of `sends`. */
  sends: number;
  total: number;
  /** Fixed IPIs that one send reaches. */
  targetsPerSend: number;
}

/** What a storm needs of its machine. */
export interface StormHost {
  cpus: number;
  /** Linear memory, for the storm's parameters. */
  header(): DataView;
  setTpr(cpu: number, value: number): void;
  runHandlers(): void;
  /** @throws InvariantError when an invariant breaks */
  send(count: number): void;
  audit(): void;
  counted(): { counters: Counters; costs: SenderCosts };
  eventHash(): string;
}

/** What `next()` of a sliced storm takes: true ends it early, a number is the sends of the next slice. */
export type StormStep = boolean | number | undefined;

/** Runs a storm slice by slice; the result does not depend on the slices. */
export function* sliceStorm(
  host: StormHost,
  storm: ResolvedStorm,
): Generator<StormProgress, StormResult, StormStep> {
  for (const [cpu, value] of storm.tprs) host.setTpr(cpu, value);
  host.runHandlers();
  const before = host.counted();
  armStorm(host.header(), storm);
  const targets = targetsPerSend(storm.pattern, storm.size, host.cpus);
  let sends = 0;
  let { slice } = storm;
  while (sends < storm.sends) {
    const count = Math.min(slice, storm.sends - sends);
    host.send(count);
    sends += count;
    const step = yield { sends, total: storm.sends, targetsPerSend: targets };
    if (step === true) break;
    if (step !== undefined && step !== false) slice = checkInteger('slice', step, 1, 2 ** 31);
  }
  host.runHandlers();
  host.audit();
  const after = host.counted();
  return {
    pattern: storm.pattern,
    via: storm.via,
    cpus: host.cpus,
    sends,
    depth: storm.depth,
    seed: String(storm.seed),
    vectors: [...storm.vectors],
    counters: difference(after.counters, before.counters),
    costs: difference(after.costs, before.costs),
    eventHash: host.eventHash(),
  };
}

function difference<T extends object>(now: T, before: T): T {
  const out = { ...now };
  for (const key of Object.keys(now) as (keyof T)[]) {
    (out[key] as number) = (now[key] as number) - (before[key] as number);
  }
  return out;
}

/** The result as JSON: snake_case keys. */
export function stormJson(result: StormResult): object {
  const { counters, costs, ...rest } = result;
  return { ...snakeKeys(rest), counters: snakeKeys(counters), costs: snakeKeys(costs) };
}
