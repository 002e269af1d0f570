import { describe, it } from 'vitest';
import { FILES, findsChanges } from './recordings.js';

describe('a changed recording', () => {
  it.each(FILES)('%s: one changed digit in a checked field is found, 20 times', async (name) => {
    await findsChanges(name, 20);
  });
});
