// Text of every encoding and with every line end, in bounded memory and linear time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decoderOf, encodingOf, LINE_MAX, linesOf, Splitter } from '../../src/input/text.js';
import { readWhole } from '../../src/input/whole.js';
import { file, readAll, refusalOf } from './files.js';

const be = (text: string) => Buffer.from(text, 'utf16le').swap16();

describe('encodings', () => {
  const text = 'käse\tπ 𝄞\nlast';
  const long = `${'a line of text\n'.repeat(60)}end`;
  it.each([
    ['UTF-8', Buffer.from(text), text],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`), text],
    ['UTF-16 LE with a mark', Buffer.from(`\ufeff${text}`, 'utf16le'), text],
    ['UTF-16 BE with a mark', be(`\ufeff${text}`), text],
    ['UTF-16 LE without', Buffer.from(long, 'utf16le'), long],
    ['UTF-16 BE without', be(long), long],
  ])('%s', async (_name, bytes, expected) => {
    const path = file('encoded', bytes);
    expect((await readAll(path)).lines.join('\n')).toBe(expected);
    expect(readWhole(path)).toBe(expected);
  });

  it('an odd byte at the end of UTF-16, bytes that are no UTF-8', async () => {
    const odd = Buffer.concat([be('\ufeffab\n'), Buffer.from([0])]);
    expect((await readAll(file('odd', odd))).lines[0]).toBe('ab');
    const { lines } = await readAll(file('latin', Buffer.from('k\xe4se\nx', 'latin1')));
    expect(lines).toEqual(['k\ufffdse', 'x']);
  });

  it('UTF-32 is refused with the command', async () => {
    const { message } = await refusalOf(file('wide', Buffer.from('fffe000061000000', 'hex')));
    expect(message).toMatch(/UTF-32, .*iconv -f UTF-32 -t UTF-8 \S+ > FILE\.txt/);
  });

  it('a mark alone is no text', async () => {
    expect((await readAll(file('mark', Buffer.from([0xef, 0xbb, 0xbf])))).lines).toEqual([]);
  });
});

/** All lines of chunks, and how many were cut. */
async function split(chunks: readonly Buffer[]): Promise<{ lines: string[]; cut: number }> {
  const lines: string[] = [];
  const splitter = new Splitter();
  async function* given() {
    yield* chunks;
  }
  for await (const batch of linesOf(given(), decoderOf('utf8'), splitter)) lines.push(...batch);
  return { lines, cut: splitter.cut };
}

describe('line ends', () => {
  it('LF, CRLF and CR, wherever the chunks end, and a last line without one', async () => {
    const piece = fc.constantFrom('\n', '\r', '\r\n', 'a', 'bc', '', 'ä𝄞', '\0');
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), fc.nat(7), async (pieces, step) => {
        const text = pieces.join('');
        const bytes = Buffer.from(text);
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += step + 1) {
          chunks.push(bytes.subarray(at, at + step + 1));
        }
        const expected = text.split(/\r\n|\r|\n/);
        if (expected.at(-1) === '') expected.pop();
        expect((await split(chunks)).lines).toEqual(expected);
      }),
      { seed: 3, numRuns: 400 },
    );
  });

  it('zero bytes stay in their line', async () => {
    expect((await split([Buffer.from('a\0b\n\0\n')])).lines).toEqual(['a\0b', '\0']);
  });
});

describe('lines without end', () => {
  it('are cut and counted, and the next line is whole', async () => {
    const chunk = Buffer.alloc(1 << 18, 'z');
    const { lines, cut } = await split([
      Buffer.from('first\n'),
      ...Array.from({ length: 40 }, () => chunk),
      Buffer.from('\nnext\n'),
      ...Array.from({ length: 6 }, () => chunk),
    ]);
    expect(lines.map((line) => line.length)).toEqual([5, LINE_MAX, 4, LINE_MAX]);
    expect(lines[2]).toBe('next');
    expect(cut).toBe(2);
  });

  it('take linear time and little memory: 1 GB', async () => {
    const chunk = Buffer.alloc(1 << 18, 'z');
    const before = process.memoryUsage().heapUsed;
    const splitter = new Splitter();
    const decoder = decoderOf('utf8');
    for (let i = 0; i < 4000; i++) splitter.add(decoder.write(chunk));
    expect(splitter.end()[0]!.length).toBe(LINE_MAX);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(3e8);
  });

  it('byte by byte too', async () => {
    const splitter = new Splitter();
    for (let i = 0; i < 1_200_000; i++) splitter.add('z');
    expect(splitter.end()[0]!.length).toBe(LINE_MAX);
  });
});

it('a text that is half zeros is not taken for UTF-16', () => {
  expect(encodingOf(Buffer.alloc(100)).encoding).toBe('utf8');
  expect(encodingOf(Buffer.from('a\0b')).encoding).toBe('utf8');
});
