// The core against a model written from the SDM and the kernel's sources.
import { describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.js';
import { SHARE, seeds, steps } from '../scale.js';
import { enumerate } from './enumeration.js';
import { fuzz } from './fuzzer.js';

describe('differential fuzz', () => {
  const all = seeds(SHARE.reference);
  it(`${all.length} random machines agree with the reference after every step`, () => {
    for (const seed of all) fuzz(seed, steps(60));
  });
});

// Per CPU: any IRR, in service rising classes only, any TPR. Three vectors: enumeration.slow.test.ts.
describe('enumeration', () => {
  it('2 CPUs x 2 vectors of one class: every reachable state and operation agrees', () => {
    // In service: {}, 31, 35.
    expect(enumerate([0x31, 0x35], [0, 0x30])).toBe((4 * 3 * 2) ** 2);
  });

  it('2 CPUs x 2 vectors of two classes: every reachable state and operation agrees', () => {
    // In service: {}, 35, 41, 35 + 41.
    expect(enumerate([0x35, 0x41], [0, 0x30])).toBe((4 * 4 * 2) ** 2);
  });
});

describe('storms', () => {
  const patterns = [
    'self',
    'pairs',
    'ring',
    'random',
    'hot',
    'mask',
    'mask-strided',
    'mask-random',
    'allbutself',
  ] as const;

  it.each(patterns)(
    '%s: the same state and hash however the run is split, on every path',
    (pattern) => {
      const vias =
        pattern === 'allbutself'
          ? ['icr', 'single', 'mask', 'shorthand', 'call']
          : ['icr', 'single', 'mask', 'call'];
      for (const via of vias as 'icr'[]) {
        for (const depth of [1, 5]) {
          const runs = [1, 7, 1000].map((slice) => {
            const machine = Machine.create({ cpus: 7, driver: 'x2apic_cluster' });
            machine.linux.sendIPI(0, 3, 0x91); // a CPU listed before the storm begins
            machine.storm({
              pattern,
              via,
              depth,
              slice,
              sends: 200,
              size: 3,
              vectors: [0x31, 0x35, 0xfb, 9],
              tpr: new Map([
                [2, 0x30],
                [5, 0xff],
              ]),
            });
            return machine;
          });
          const [whole, ...others] = runs.map((machine) => machine.snapshot());
          for (const other of others)
            expect(Buffer.compare(whole!, other), `via ${via}, depth ${depth}`).toBe(0);
        }
      }
    },
  );

  it('known hashes stay the same on every machine', () => {
    const hash = (cpus: number, options: object) =>
      Machine.create({ cpus }).storm(options).eventHash;
    expect([
      hash(64, { sends: 10_000 }),
      hash(1000, { pattern: 'mask-random', sends: 1000, seed: 7n, depth: 3 }),
      hash(300, { pattern: 'allbutself', via: 'call', sends: 500, vectors: [0x20, 0xff] }),
    ]).toMatchInlineSnapshot(`
      [
        "cb45ef67a1118bb6",
        "5c6f27d710546949",
        "c643ae0c63eab425",
      ]
    `);
  });
});
