// The long half: whole scenarios under both schedulers, and three of them on every cost set and era.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as library from '../../src/index.js';
import * as timed from '../../src/timed-index.js';
import { figures } from './figures.mjs';

it('every figure is what it was', () => {
  const file = new URL('baseline.json', import.meta.url);
  const now = Object.fromEntries(figures(library, timed, { wide: true }));
  expect(now).toEqual(JSON.parse(readFileSync(file, 'utf8')));
}, 900_000);
