import { it } from 'vitest';
import { SHARE, seeds } from '../scale.js';
import { schedulersAgree } from './schedulers.js';

const count = seeds(SHARE.timed).length;
it(`heap and windows agree on every hash, counter and latency of ${count} random scenarios`, () => {
  schedulersAgree(count);
});
