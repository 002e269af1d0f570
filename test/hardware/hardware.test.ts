// The whole register interface, all models: core against reference after every operation.
import { describe, expect, it } from 'vitest';
import { MODEL_NAMES } from '../../src/index.js';
import { ReferenceHardware } from '../reference/hardware.js';
import { SHARE, seeds, steps } from '../scale.js';
import { CoreHardware } from './core.js';
import { firstDifference, fuzzHardware } from './fuzzer.js';
import type { Operation } from './operations.js';

const all = seeds(SHARE.hardware);

describe('differential fuzz of the hardware', () => {
  it(`${all.length} random machines of all models agree after every step`, () => {
    for (const seed of all) fuzzHardware(seed, steps(120));
  });

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
