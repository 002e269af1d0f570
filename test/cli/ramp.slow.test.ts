import { expect, it } from 'vitest';
import { run } from './run.js';

it.each([
  ['membarrier-stampede', 'csd lock'],
  ['membarrier-serialized', 'lock'],
])('ipistorm ramp %s, at its own size, saturates at the %s', async (name, what) => {
  const lines = (await run('ramp', name, '--json')).stdout.trim().split('\n');
  const last = JSON.parse(lines.at(-1)!);
  expect(last).toMatchObject({ saturated: true, bottleneck: { what } });
});
