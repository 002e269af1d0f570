// Every planted bug is found from seed 1 on.
import { expect, it } from 'vitest';
import { build, firstScenario, firstSeed, HARDWARE, REFERENCE, TIMED } from './planted.js';

for (const planted of [...REFERENCE, ...HARDWARE]) {
  it(`${planted.kind}: ${planted.bug} is found`, async () => {
    const seed = firstSeed(planted, await build(planted));
    expect(seed).toBeGreaterThan(0);
    if (planted.seed !== undefined) expect(seed, 'first seed, as noted').toBe(planted.seed);
  });
}

for (const planted of TIMED) {
  it(`${planted.kind}: ${planted.bug} is found by a shipped scenario`, async () => {
    expect(firstScenario(await build(planted))).toBeDefined();
  });
}
