// The assertions of the debug build hold, and change no result.
import { beforeAll, it } from 'vitest';
import { SCENARIO_NAMES } from '../../src/timed-index.js';
import { fuzzHardware } from '../hardware/fuzzer.js';
import { SHARE, seeds, steps } from '../scale.js';
import { fuzz } from './fuzzer.js';
import { build, sameWithAssertions } from './planted.js';

let module: object;
beforeAll(async () => {
  module = await build(undefined, []);
});

it('in random machines', () => {
  for (const seed of seeds(SHARE.reference)) fuzz(seed, steps(60), module);
});

it('in random machines of all models', () => {
  for (const seed of seeds(SHARE.hardware)) fuzzHardware(seed, steps(120), undefined, module);
});

it.each(SCENARIO_NAMES)('in scenario %s', (name) => {
  sameWithAssertions(name, 1e6, module);
});
