// The commands in the documents that take longer than a second.
import { describe, expect, it } from 'vitest';
import { blocks, difference, documents } from '../../tools/docs.mjs';

describe('the slow commands in the documents', () => {
  it.each(
    documents()
      .flatMap((file) => blocks(file))
      .filter(({ slow }) => slow)
      .map((block) => [`${block.file}:${block.begin + 1} ${block.shown[0]}`, block] as const),
  )(
    '%s prints what is shown',
    (_, block) => {
      expect(difference(block)).toBeUndefined();
    },
    120_000,
  );
});
