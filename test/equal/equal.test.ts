// Structure may change, figures may not: each is compared with the one recorded at commit 0bbc3a9.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as library from '../../src/index.js';
import * as timed from '../../src/timed-index.js';
import { figures } from './figures.mjs';

const baseline: Record<string, string> = JSON.parse(
  readFileSync(new URL('baseline.json', import.meta.url), 'utf8'),
);

it('every storm and the beginning of every scenario is what it was', () => {
  const now = Object.fromEntries(figures(library, timed));
  expect(Object.keys(now).length).toBeGreaterThan(50);
  for (const [name, hash] of Object.entries(now)) expect.soft(hash, name).toBe(baseline[name]);
});
