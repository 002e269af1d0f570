import { it } from 'vitest';
import { SHARE, seeds, steps } from '../scale.js';
import { fuzz } from './fuzzer.js';

const all = seeds(SHARE.reference);
it(`${all.length} random machines agree with the reference after every step`, () => {
  for (const seed of all) fuzz(seed, steps(60));
});
