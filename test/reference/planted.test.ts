// One planted bug of each kind is found, at the seed noted beside it; planted.slow.test.ts finds them all.
import { beforeAll, describe, expect, it } from 'vitest';
import {
  build,
  differsIn,
  firstSeed,
  HARDWARE,
  isFinding,
  PLACES,
  REFERENCE,
  runSeed,
  sameWithAssertions,
  TIMED,
} from './planted.js';

const SHORT = ['scftorture', 'dropped-icr', 'p6-bus-storm', 'forgotten-copy', 'irqs-off'];
const ALL = [...REFERENCE, ...HARDWARE];
const stands = (bug: (typeof TIMED)[number]) => bug.seed !== undefined || bug.in !== undefined;

describe('the list of planted bugs', () => {
  it('has one marked line in assembly/ for each bug, and a bug for each marked line', () => {
    const marked = PLACES.map(({ bug }) => bug).sort();
    expect(marked).toEqual([...ALL, ...TIMED].map(({ bug }) => bug).sort());
  });

  it('has one bug of each kind with the seed or the scenario that finds it', () => {
    const kinds = [...new Set([...ALL, ...TIMED].map(({ kind }) => kind))];
    const standing = [...ALL, ...TIMED].filter(stands).map(({ kind }) => kind);
    expect(standing.sort()).toEqual(kinds.sort());
  });
});

describe('planted bugs', () => {
  for (const planted of ALL.filter(({ seed }) => seed !== undefined)) {
    it(`${planted.kind}: ${planted.bug} is found`, async () => {
      const module = await build(planted);
      const seed = planted.seed!;
      runSeed(planted, seed);
      try {
        runSeed(planted, seed, module);
      } catch (error) {
        if (isFinding(error)) return;
        throw error;
      }
      expect.fail(`seed ${seed} finds nothing; the first that does: ${firstSeed(planted, module)}`);
    });
  }
});

describe('planted bugs of the timed engine', () => {
  for (const planted of TIMED.filter(stands)) {
    it(`${planted.kind}: ${planted.bug} is found in ${planted.in}`, async () => {
      expect(differsIn(planted.in!, await build(planted))).toBe(true);
    });
  }
});

describe('the debug build', () => {
  let module: object;
  beforeAll(async () => {
    module = await build(undefined, []);
  });

  it('assertions hold in random machines, and change no result', () => {
    for (let seed = 1; seed <= 60; seed++) {
      runSeed(REFERENCE[0]!, seed, module);
      runSeed(HARDWARE[0]!, seed, module);
    }
  });

  it.each(SHORT)(
    'assertions hold in the beginning of scenario %s, and change no result',
    (name) => {
      sameWithAssertions(name, 30e3, module);
    },
  );
});
