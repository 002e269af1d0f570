// Packed files: known by their first bytes, unpacked in bounded memory, damage found.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Xxh64 } from '../../src/input/xxh64.js';
import { file, readAll, refusalOf } from './files.js';

const LINES = Array.from({ length: 40_000 }, (_, i) => `${i} ${(i * 2654435761) % 4294967296}`);
const TEXT = `${LINES.join('\n')}\n`;

const has = (tool: string) => spawnSync(tool, ['--version']).status === 0;

/** Packed by the format's own program. */
function pack(tool: string, args: string[], text: string | Uint8Array): Buffer {
  return spawnSync(tool, [...args, '-c'], { input: text, maxBuffer: 1 << 28 }).stdout;
}

/** A frame that readers skip, of four bytes. */
const SKIPPED = Buffer.from('502a4d180400000061626364', 'hex');

const FORMATS: [string, (text: string) => Buffer][] = [['gzip', (text) => gzipSync(text)]];
if (has('zstd')) {
  for (const level of ['-1', '-3', '-19', '--no-check', '-19 --long=24']) {
    FORMATS.push([`zstd ${level}`, (text) => pack('zstd', ['-q', ...level.split(' ')], text)]);
  }
  FORMATS.push([
    'zstd with a skipped frame',
    (text) => Buffer.concat([SKIPPED, pack('zstd', ['-q'], text), SKIPPED]),
  ]);
}
if (has('xz')) {
  for (const check of ['crc32', 'crc64', 'none']) {
    FORMATS.push([`xz ${check}`, (text) => pack('xz', ['-C', check], text)]);
  }
}

describe.each(FORMATS)('%s', (name, packed) => {
  const format = name.split(' ')[0]!;
  const whole = packed(TEXT);

  it('is read whatever its name, with a note', async () => {
    const { lines, source, error } = await readAll(file('log.txt', whole));
    expect(error).toBeUndefined();
    expect(lines).toEqual(LINES);
    expect(source.compression).toBe(format);
    if (format !== 'gzip')
      expect(source.notes.join()).toContain(`${format}, unpacked while reading`);
  });

  it('is read when several follow each other, some of them small', async () => {
    const parts = [whole, packed('one\n'), packed('two\n'), packed(''), packed('three')];
    const { lines } = await readAll(file('parts', Buffer.concat(parts)));
    expect(lines).toEqual([...LINES, 'one', 'two', 'three']);
  });

  it('cut anywhere: an error that says so, after what was readable', async () => {
    for (const share of [0.02, 0.5, 0.9, 1]) {
      const cut = whole.subarray(0, Math.floor(whole.length * share) - (share === 1 ? 2 : 0));
      const { error, lines } = await readAll(file('cut', cut));
      expect(error?.name).toBe('UsageError');
      expect(error?.message).toContain(`damaged ${format} data (`);
      expect(lines.length).toBeLessThanOrEqual(LINES.length);
    }
  });

  it('followed by something else: an error', async () => {
    const error = await refusalOf(file('more', Buffer.concat([whole, Buffer.from('plain text')])));
    expect(error.message).toContain(`damaged ${format} data`);
  });

  it('damaged: never another error, and never read as if whole where it has a checksum', async () => {
    const step = Math.ceil(whole.length / 24);
    for (let at = 12; at < whole.length - 12; at += step) {
      const bad = Buffer.from(whole);
      bad[at]! ^= 0x10;
      const { error, lines } = await readAll(file('bad', bad));
      if (error) expect(error.message).toMatch(/damaged|unpacked here/);
      else if (!/no-check|none|skipped/.test(name)) expect(lines).toEqual(LINES);
    }
  });
});

it.skipIf(!has('zstd'))('zstd and xz are refused where they are not asked for', async () => {
  const path = file('x y.txt', pack('zstd', ['-q'], 'hello\n'));
  const error = await refusalOf(path, {});
  expect(error.message).toMatch(
    /got zstd data, .*unpack it: zstd -dc '.*x y\.txt' \| npx ipistorm/,
  );
});

it.skipIf(!has('xz'))('what needs more memory or another checksum is named', async () => {
  for (const args of [['-C', 'sha256'], ['--lzma2=preset=9,dict=512MiB']]) {
    const error = await refusalOf(file('odd.xz', pack('xz', args, 'hello\n')));
    expect(error.message).toMatch(/xz data that cannot be unpacked here \(.*xz -dc .* \| npx/);
  }
});

it('a window of more than 128 MiB is not made', async () => {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x01, 0x00, 0x00]);
  const error = await refusalOf(file('wide.zst', head));
  expect(error.message).toMatch(
    /cannot be unpacked here \(it needs a window of more than 128 MiB\)/,
  );
});

it('packed inside packed is refused with both commands', async () => {
  const error = await refusalOf(file('twice.gz', gzipSync(gzipSync('hello'))));
  expect(error.message).toMatch(/gzip data inside gzip data.*gzip -dc \S+ \| gzip -dc \|/);
});

it.skipIf(!has('zstd'))('XXH64 is that of zstd, however the bytes come', () => {
  for (const length of [0, 1, 3, 4, 7, 8, 31, 32, 33, 63, 64, 1000, 100_003]) {
    const bytes = randomBytes(length);
    const sum = pack('zstd', ['-q'], bytes).readUInt32LE(pack('zstd', ['-q'], bytes).length - 4);
    for (const step of [1, 13, 32, 1 << 17]) {
      const hash = new Xxh64();
      for (let at = 0; at < length; at += step) hash.update(bytes.subarray(at, at + step));
      expect(Number(hash.digest() & 0xffffffffn)).toBe(sum);
    }
  }
});
