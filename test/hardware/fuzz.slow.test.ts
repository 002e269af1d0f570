import { expect, it } from 'vitest';
import { RULES } from '../reference/rules.js';
import { SHARE, seeds, steps, WHOLE } from '../scale.js';
import { fuzzHardware } from './fuzzer.js';

const all = seeds(SHARE.hardware);
it(`${all.length} random machines of all models agree after every step, and every rule is exercised`, () => {
  const covered = new Map<string, number>();
  for (const seed of all) fuzzHardware(seed, steps(120), covered);
  const table = RULES.map((rule) => `${String(covered.get(rule) ?? 0).padStart(8)}  ${rule}`);
  console.log(`rules exercised by ${all.length} x ${steps(120)} operations\n${table.join('\n')}`);
  if (all.length >= WHOLE) expect(RULES.filter((rule) => !covered.has(rule))).toEqual([]);
});
