// Cost sets: how long things take on a machine, each number with its kind and source.

import * as v from 'valibot';
import { DRIVERS } from '../core/config.js';
import { usage } from '../core/errors.js';
import { T, X } from '../core/memory.js';
import { MODEL_NAMES } from '../core/models.js';
import { COST_NAMES, type CostName, FUNCS } from './names.js';
import { exp, inverseNormal } from './normal.js';
import type { CostEntry, CostSet } from './types.js';
import { check } from './validate.js';

const time = v.pipe(v.number(), v.minValue(0), v.maxValue(1e12));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

/** A constant, or how it is distributed. */
const amount = v.pipe(
  v.union([
    time,
    v.strictObject({ uniform: v.strictTuple([time, time]) }),
    v.strictObject({
      modes: v.pipe(v.array(v.strictTuple([time, share])), v.minLength(1), v.maxLength(16)),
    }),
    v.strictObject({
      lognormal: v.strictObject({
        median: time,
        sigma: v.pipe(v.number(), v.minValue(0), v.maxValue(4)),
      }),
    }),
  ]),
  v.description('constant, or { uniform } | { modes } | { lognormal }'),
);

const entry = v.strictObject({
  v: amount,
  u: v.optional(
    v.pipe(v.picklist(['ns', 'cyc']), v.description('unit, default ns; cyc: clocks of clock_ghz')),
  ),
  kind: v.picklist(['measured', 'derived', 'guess']),
  src: v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(400),
    v.description('where the number is from'),
  ),
});

/** Every cost, and when it is paid. */
const names: readonly (readonly [name: string, what: string])[] = [
  ...Object.entries(COST_NAMES).map(([name, [, what]]) => [name, what] as const),
  ...FUNCS.map((func) => [`func_${func}`, `${func}(), called by IPI`] as const),
];
// lazy: the published schema then refers to an entry instead of repeating it.
const paid = (what: string) =>
  v.pipe(
    v.lazy(() => entry),
    v.description(what),
  );

/** @internal Parts that the published schema states once. */
export const COST_PARTS = { time, share, amount, entry };

/** @internal Its type is valibot's, which needs the DOM's. */
export const CostSetSchema = v.strictObject({
  $schema: v.optional(v.string()),
  name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/)),
  summary: v.pipe(v.string(), v.maxLength(400)),
  clock_ghz: v.strictObject({
    v: v.pipe(v.number(), v.minValue(0.001), v.maxValue(100)),
    kind: v.picklist(['measured', 'derived', 'guess']),
    src: v.string(),
  }),
  machine: v.pipe(
    v.strictObject({
      driver: v.optional(v.picklist(Object.keys(DRIVERS) as (keyof typeof DRIVERS)[])),
      vendor: v.optional(v.picklist(['intel', 'amd'])),
      model: v.optional(v.picklist(MODEL_NAMES)),
    }),
    v.description('the machine that the numbers are of, unless the scenario names another'),
  ),
  costs: v.partial(
    v.strictObject(
      Object.fromEntries(names.map(([name, what]) => [name, paid(what)])) as Record<
        string,
        ReturnType<typeof paid>
      >,
    ),
  ),
});

export type { CostSet } from './types.js';

/** How many of a set's numbers are measured, derived and guessed. */
export interface Shares {
  measured: number;
  derived: number;
  guess: number;
}

/** Which cost pays for what; ids of assembly/timed/codes.ts. */
function idOf(name: string): number {
  if (name.startsWith('func_')) {
    return X.COST_FUNC + (FUNCS as readonly string[]).indexOf(name.slice(5));
  }
  return COST_NAMES[name as CostName][0];
}

/** @throws UsageError naming the field, what it got and what is allowed */
export function checkCosts(value: unknown): CostSet {
  const set = check('costs', CostSetSchema, value);
  for (const [name, cost] of Object.entries(set.costs)) {
    const amount = cost?.v;
    if (typeof amount !== 'object') continue;
    if ('uniform' in amount && amount.uniform[0] > amount.uniform[1]) {
      throw usage(`costs.${name}.v.uniform`, amount.uniform.join('-'), 'low, then high');
    }
    if ('modes' in amount && Math.abs(amount.modes.reduce((sum, [, s]) => sum + s, 0) - 1) > 1e-6) {
      throw usage(`costs.${name}.v.modes`, 'shares that do not add up to 1', 'value, share pairs');
    }
  }
  return set;
}

export function sharesOf(set: CostSet): Shares {
  const shares: Shares = { measured: 0, derived: 0, guess: 0 };
  for (const cost of Object.values(set.costs)) if (cost) shares[cost.kind]++;
  return shares;
}

/** Costs in ps as the core reads them, and the smallest value of each. */
export interface PricedCosts {
  /** Constant ps of each cost, by id; those with a table have 0. */
  constants: Float64Array;
  /** 1 + the table of each cost, by id. */
  tableOf: Uint32Array;
  tables: bigint[][];
  least: Float64Array;
}

export function priceCosts(set: CostSet): PricedCosts {
  const constants = new Float64Array(T.COST_MAX);
  const tableOf = new Uint32Array(T.COST_MAX);
  const least = new Float64Array(T.COST_MAX);
  const tables: bigint[][] = [];
  for (const [name, cost] of Object.entries(set.costs)) {
    if (!cost) continue;
    const id = idOf(name);
    const ps = cost.u === 'cyc' ? 1000 / set.clock_ghz.v : 1000;
    if (typeof cost.v === 'number') {
      constants[id] = Math.round(cost.v * ps);
      least[id] = constants[id];
      continue;
    }
    if (tables.length === T.TABLE_MAX - 1) {
      throw usage('costs', 'more distributions', `at most ${T.TABLE_MAX - 1} of them`);
    }
    const table = quantilesOf(cost.v, ps);
    tables.push(table);
    tableOf[id] = tables.length;
    least[id] = Number(table[0]);
  }
  return { constants, tableOf, tables, least };
}

/** 257 quantiles in ps; the core interpolates between neighbours. */
function quantilesOf(amount: Exclude<CostEntry['v'], number>, ps: number): bigint[] {
  const at = (share: number): number => {
    if ('uniform' in amount)
      return amount.uniform[0] + (amount.uniform[1] - amount.uniform[0]) * share;
    if ('modes' in amount) {
      let sum = 0;
      for (const [value, weight] of amount.modes) {
        sum += weight;
        if (share < sum) return value;
      }
      return amount.modes.at(-1)![0];
    }
    const { median, sigma } = amount.lognormal;
    const tail = 1 / (4 * T.TABLE_STEPS);
    return median * exp(sigma * inverseNormal(Math.min(Math.max(share, tail), 1 - tail)));
  };
  return Array.from({ length: T.TABLE_STEPS + 1 }, (_, i) =>
    BigInt(Math.round(at(i / T.TABLE_STEPS) * ps)),
  );
}
