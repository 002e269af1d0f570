// The whole register interface, all models: core against reference after every operation.
import { describe, expect, it } from 'vitest';
import { MODEL_NAMES } from '../../src/index.js';
import { ReferenceHardware } from '../reference/hardware.js';
import { RULES } from '../reference/rules.js';
import { CoreHardware } from './core.js';
import { firstDifference, fuzzHardware } from './fuzzer.js';
import type { Operation } from './operations.js';

const SEEDS = Number(process.env.FUZZ_SEEDS ?? 1500);
const STEPS = Number(process.env.FUZZ_STEPS ?? 120);
const FIRST = Number(process.env.FUZZ_SEED ?? 1);

describe('differential fuzz of the hardware', () => {
  it(`${SEEDS} random machines of all models agree after every step, and every rule is exercised`, () => {
    const covered = new Map<string, number>();
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) fuzzHardware(seed, STEPS, covered);
    const table = RULES.map((rule) => `${String(covered.get(rule) ?? 0).padStart(8)}  ${rule}`);
    console.log(`rules exercised by ${SEEDS} x ${STEPS} operations\n${table.join('\n')}`);
    if (SEEDS >= 1500) expect(RULES.filter((rule) => !covered.has(rule))).toEqual([]);
  }, 900_000);

  it('the same operations in every model: the models differ, core and reference do not', () => {
    const script: Operation[] = [
      { op: 'mmio_write', cpu: 0, offset: 0x350, value: 0x8031 },
      { op: 'lint', cpu: 0, pin: 0, high: true },
      { op: 'mmio_write', cpu: 1, offset: 0x310, value: 0 },
      { op: 'mmio_write', cpu: 1, offset: 0x300, value: 0xc005 },
      { op: 'mmio_write', cpu: 1, offset: 0x300, value: 0x4131 },
      { op: 'mmio_write', cpu: 0, offset: 0xf0, value: 0xff },
      { op: 'take', cpu: 0 },
      { op: 'lint', cpu: 0, pin: 0, high: false },
      { op: 'mmio_write', cpu: 0, offset: 0x280, value: 0 },
      { op: 'mmio_write', cpu: 0, offset: 0xf0, value: 0x1ff },
    ];
    const ends = MODEL_NAMES.map((model) => {
      const config = { model, apicIds: [0, 1], start: 'xapic-flat' as const };
      const [core, reference] = [new CoreHardware(config), new ReferenceHardware(config)];
      for (const operation of script)
        expect(core.apply(operation)).toBe(reference.apply(operation));
      expect(firstDifference(core.state(), reference.state())).toBe('');
      return JSON.stringify({ ...core.state().apics[0], version: 0 });
    });
    expect(new Set(ends).size).toBeGreaterThanOrEqual(4);
  });
});
