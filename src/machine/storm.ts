// Untimed storms: who sends to whom, how, how often; and what became of it.
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

type ResolvedStorm = Required<Omit<StormOptions, 'tpr'>> & Pick<StormOptions, 'tpr'>;

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

function resolveVia(options: StormOptions, pattern: Pattern): Via {
  const via = options.via ?? defaultVia(pattern);
  if (!Object.hasOwn(VIAS, via)) throw usage('via', via, Object.keys(VIAS).join(', '));
  if (via === 'shorthand' && pattern !== 'allbutself') {
    throw usage(
      'via',
      via,
      'icr, single, mask, call with this pattern',
      'shorthand goes with allbutself',
    );
  }
  return via;
}

function resolveStorm(options: StormOptions, cpus: number): ResolvedStorm {
  const pattern = options.pattern ?? 'random';
  if (!Object.hasOwn(PATTERNS, pattern))
    throw usage('pattern', pattern, Object.keys(PATTERNS).join(', '));
  if (pattern !== 'self' && cpus < 2)
    throw usage('pattern', pattern, 'self on a machine of one CPU');
  const via = resolveVia(options, pattern);
  const vectors = options.vectors ?? [0xfb, 0xfc, 0xfd];
  if (vectors.length < 1 || vectors.length > 256)
    throw usage('vectors', vectors.length, '1-256 of them');
  for (const vector of vectors) checkInteger('vectors', vector, 0, 255);
  const size = options.size ?? Math.max(1, Math.min(16, cpus - 1));
  const targets = targetsPerSend(pattern, size, cpus);
  const seed = BigInt(options.seed ?? 1);
  if (seed < 0n || seed >= 1n << 64n) throw usage('seed', seed, '0 to 2^64-1');
  return {
    pattern,
    via,
    sends: checkInteger('sends', options.sends ?? 1e6, 1, Number.MAX_SAFE_INTEGER),
    vectors,
    depth: checkInteger('depth', options.depth ?? 1, 1, 2 ** 31),
    seed,
    target: checkInteger('target', options.target ?? 0, 0, cpus - 1),
    size: checkInteger('size', size, 1, Math.max(1, cpus - 1)),
    stride: checkInteger('stride', options.stride ?? Math.min(2, cpus), 1, cpus),
    slice: checkInteger(
      'slice',
      options.slice ?? Math.max(1, Math.floor(2e5 / targets)),
      1,
      2 ** 31,
    ),
    tpr: options.tpr,
  };
}

/** Writes a storm's parameters into the header and rewinds it. */
function armStorm(view: DataView, storm: ResolvedStorm): void {
  view.setBigUint64(L.S_INDEX, 0n, true);
  view.setBigUint64(L.S_SEED, BigInt(storm.seed), true);
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
  options: StormOptions,
): Generator<StormProgress, StormResult, StormStep> {
  const storm = resolveStorm(options, host.cpus);
  setTprs(host, options.tpr);
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
    if (typeof step === 'number') slice = checkInteger('slice', step, 1, 2 ** 31);
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

function setTprs(host: StormHost, tpr: StormOptions['tpr']): void {
  if (typeof tpr === 'number') {
    for (let cpu = 0; cpu < host.cpus; cpu++) host.setTpr(cpu, tpr);
  } else for (const [cpu, value] of tpr ?? []) host.setTpr(cpu, value);
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
