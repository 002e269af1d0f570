// ipistorm verify: real recordings pass, and a changed digit does not.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { verifyFile } from '../../src/verify/verify.js';
import { run } from '../cli/run.js';
import { generator } from '../reference/random.js';
import { FILES, findsChanges, RECORDINGS, scratch, text, verifyText } from './recordings.js';

describe('recordings of real systems', () => {
  it.each(FILES)('%s: no mismatch, nothing skipped but what has no meaning', async (name) => {
    const { ledger } = await verifyFile(RECORDINGS + name, undefined, () => true);
    expect(ledger.mismatches.slice(0, 3)).toEqual([]);
    expect(ledger.total.checks).toBeGreaterThan(4000);
    const known =
      /^(# comments|isr forced|lines before the first Z|V: vector after|reads of register 39|A ext)/;
    for (const reason of ledger.skipped.keys()) expect(reason).toMatch(known);
  });

  it('another model disagrees, and the mismatch shows line, both values and the state', async () => {
    const { status, stdout } = await run(
      'verify',
      `${RECORDINGS}kvm-x2-4cpu-s1.txt.gz`,
      '--model',
      'sdm',
      '--show',
      '1',
    );
    expect(status).toBe(1);
    expect(stdout).toContain('line 9: register read');
    expect(stdout).toMatch(
      /expected {2}50014\n {2}got {7}1060015\n {2}state {5}CPU 0: TPR 0 PPR 0/,
    );
    expect(stdout).toContain('(--show ');
  });

  it('exit 0 and one JSON object for several files', async () => {
    const files = [`${RECORDINGS}kvm-x2-4cpu-s1.txt.gz`, `${RECORDINGS}kvm-x2odd-4cpu-s3.txt.gz`];
    const { status, stdout } = await run('verify', '--json', ...files);
    const result = JSON.parse(stdout);
    expect(status).toBe(0);
    expect(result).toMatchObject({
      ok: true,
      files: [{ checks: 4183, mismatches: 0 }, { ok: true }],
    });
  });
});

describe('a changed recording', () => {
  it.each(FILES)('%s: one changed digit in a checked field is found', async (name) => {
    await findsChanges(name, 2);
  });

  it('an effect left out, and one too many, are found', async () => {
    const lines = text('linux61-xapic-flat-4cpu.log.gz').split('\n');
    const first = lines.findIndex((line) => line.startsWith('Z '));
    const at = lines.findIndex((line, i) => i > first + 5000 && line.startsWith('S '));
    expect((await verifyText(lines.toSpliced(at, 1).join('\n'))).mismatches[0]).toMatchObject({
      check: 'IRR bit set',
      expected: 'nothing',
    });
    expect(
      (await verifyText(lines.toSpliced(at, 0, lines[at]!).join('\n'))).mismatches[0],
    ).toMatchObject({
      check: 'IRR bit set',
      got: 'nothing',
    });
  });
});

describe('damaged files', () => {
  it('name file and line, exit 2', async () => {
    const file = join(scratch, 'damaged.txt');
    writeFileSync(file, text('kvm-x2-4cpu-s1.txt.gz').replace('r 0 8 -> 0', 'r 0 8 -> ?'));
    const { status, stderr } = await run('verify', file);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /damaged\.txt line 10: got "r 0 8 -> \?", allowed a line `op -> result`/,
    );
  });

  it.each([
    ['text of no kind', 'hello\nworld\n', /allowed a local-APIC log .* or a KVM transcript/],
    ['nothing', '', /it is empty/],
    ['something else', 'hello\n', /allowed a local-APIC log/],
    ['a log without its CPUs', 'Z 1 id 1 base fee00800\nW 1 0f 1ff\n', /a Z line for CPU 0 before/],
    ['a CPU that does not exist', 'N 2 -> x2api=0 ok\nr 5 8 -> 0\n', /line 2: .*allowed CPUs 0-1/],
    ['two machines', 'N 2 -> x2api=0 ok\nN 2 -> x2api=0 ok\n', /line 2: .*one line N/],
    ['too many CPUs', 'N ffffff -> x2api=0 ok\n', /allowed one line N with 1-400 CPUs/],
  ])('%s', async (_what, content, message) => {
    const file = join(scratch, 'odd.txt');
    writeFileSync(file, content);
    const { status, stderr } = await run('verify', file);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });

  it('a cut .gz, a directory, a missing file, a bad model', async () => {
    const cut = join(scratch, 'cut.gz');
    const whole = readFileSync(`${RECORDINGS}kvm-x2-4cpu-s1.txt.gz`);
    writeFileSync(cut, whole.subarray(0, whole.length >> 1));
    expect((await run('verify', cut)).stderr).toMatch(/damaged gzip data/);
    for (const args of [[cut], [scratch], ['nowhere.gz'], [], [cut, '--model', 'kvn']]) {
      expect((await run('verify', ...args)).status).toBe(2);
    }
    expect((await run('verify', cut, '--model', 'kvn')).stderr).toMatch(/did you mean kvm\?/);
  });

  it('a damaged file does not keep the others from being verified', async () => {
    const file = join(scratch, 'half.txt');
    writeFileSync(file, 'N 2 -> x2api=0 ok\nr 0 8 -> ?\n');
    const { status, stdout } = await run(
      'verify',
      '--json',
      file,
      `${RECORDINGS}kvm-x2-4cpu-s1.txt.gz`,
    );
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      files: [
        { ok: false, error: expect.stringContaining('line 2') },
        { ok: true, checks: 4183 },
      ],
    });
  });

  it('random damage never hangs and never passes as an internal error', async () => {
    const content = text('kvm-x2odd-4cpu-s3.txt.gz').slice(0, 40_000);
    const log = text('linux61-xapic-flat-4cpu.log.gz');
    const head = log.slice(log.indexOf('\nZ ') + 1).slice(0, 40_000);
    for (let seed = 1; seed <= 60; seed++) {
      const random = generator(seed);
      const bytes = Buffer.from(seed % 2 ? content : head, 'latin1');
      for (let n = 1 + random.below(20); n > 0; n--)
        bytes[random.below(bytes.length)] = random.below(256);
      try {
        await verifyText(bytes.toString('latin1'));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }
  });
});

it('gzip and plain text are the same recording', async () => {
  const file = join(scratch, 'again.gz');
  writeFileSync(file, gzipSync(text('kvm-x2-4cpu-s1.txt.gz')));
  const { ledger } = await verifyFile(file, undefined, () => true);
  expect(ledger.total).toEqual({ checks: 4183, mismatches: 0 });
});

it('mismatches are counted by kind, vectors stay hexadecimal', async () => {
  const file = `${RECORDINGS}linux61-xapic-flat-4cpu.log.gz`;
  const [result] = (await run('verify', file, '--model', 'sdm', '--json')).json().files;
  const { mismatch_kinds: kinds, mismatches } = result;
  expect(kinds.reduce((n: number, { count }: { count: number }) => n + count, 0)).toBe(mismatches);
  expect(kinds[0]).toMatchObject({
    what: 'register read, register 03: value instead of another',
    count: 14,
    first_line: 87,
    expected: '50014',
  });
  // The line is "X 2 SIPI 99".
  expect(kinds[1]).toMatchObject({ count: 2, expected: 'CPU 2 SIPI 99', got: 'nothing' });
});
