// ipistorm verify: real recordings pass, and a changed digit does not.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { verifyFile } from '../../src/verify/verify.js';
import { generator } from '../reference/random.js';

const MAIN = new URL('../../dist/src/cli/main.js', import.meta.url).pathname;
const RECORDINGS = new URL('../fixtures/recordings/', import.meta.url).pathname;
const FILES = readdirSync(RECORDINGS).filter((name) => name.endsWith('.gz'));
const scratch = mkdtempSync(join(tmpdir(), 'ipistorm-verify-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const text = (name: string): string =>
  gunzipSync(readFileSync(RECORDINGS + name)).toString('latin1');

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'verify', ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return { status, stdout, stderr };
}

async function verifyText(content: string) {
  const file = join(scratch, 'changed.txt');
  writeFileSync(file, content);
  const { ledger } = await verifyFile(file, undefined, () => true);
  return ledger;
}

describe('recordings of real systems', () => {
  it.each(FILES)('%s: no mismatch, nothing skipped but what has no meaning', async (name) => {
    const { ledger } = await verifyFile(RECORDINGS + name, undefined, () => true);
    expect(ledger.mismatches.slice(0, 3)).toEqual([]);
    expect(ledger.total.checks).toBeGreaterThan(4000);
    const known =
      /^(# comments|isr forced|lines before the first Z|V: vector after|reads of register 39|A ext)/;
    for (const reason of ledger.skipped.keys()) expect(reason).toMatch(known);
  });

  it('another model disagrees, and the mismatch shows line, both values and the state', () => {
    const { status, stdout } = run(
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

  it('exit 0 and one JSON object for several files', () => {
    const files = [`${RECORDINGS}kvm-x2-4cpu-s1.txt.gz`, `${RECORDINGS}kvm-x2odd-4cpu-s3.txt.gz`];
    const { status, stdout } = run('--json', ...files);
    const result = JSON.parse(stdout);
    expect(status).toBe(0);
    expect(result).toMatchObject({
      ok: true,
      files: [{ checks: 4183, mismatches: 0 }, { ok: true }],
    });
  });
});

/** Changes the last hexadecimal digit of what a line claims. */
function change(line: string): string | undefined {
  const kind = line[0]!;
  const patterns: Record<string, RegExp> = {
    S: /^S \d+ [0-9a-f]*([0-9a-f]) /,
    E: /^E \d+ [0-9a-f]*([0-9a-f]) /,
    R: / ([0-9a-f])$/,
    A: /^A \d+ [0-9a-f]([0-9a-f])$/,
    D: /ppr [0-9a-f]*([0-9a-f])/,
    X: /SIPI [0-9a-f]*([0-9a-f])$/,
    a: /-> [0-9a-f]([0-9a-f])\b/,
    r: /-> [0-9a-f]*([0-9a-f])$/,
    m: /-> ([0-9a-f])$/,
    d: /svr [0-9a-f]*([0-9a-f])/,
  };
  const found = patterns[kind]?.exec(line);
  if (!found || /^R \d+ 39 /.test(line)) return undefined;
  const at = found.index + found[0].lastIndexOf(found[1]!);
  const digit = (Number.parseInt(found[1]!, 16) ^ 1).toString(16);
  return line.slice(0, at) + digit + line.slice(at + 1);
}

describe('a changed recording', () => {
  it.each(FILES)('%s: one changed digit in a checked field is found', async (name) => {
    const lines = text(name).split('\n');
    const first = Math.max(
      0,
      lines.findIndex((line) => line.startsWith('Z ')),
    );
    const random = generator(name.length);
    for (let tries = 0; tries < 6; ) {
      const at = first + random.below(lines.length - first);
      const changed = lines[at] && change(lines[at]!);
      if (!changed) continue;
      tries++;
      const ledger = await verifyText(lines.with(at, changed).join('\n'));
      expect(
        ledger.mismatches.length,
        `line ${at + 1}: ${lines[at]} -> ${changed}`,
      ).toBeGreaterThan(0);
      expect(ledger.mismatches[0]!.line).toBeLessThanOrEqual(at + 2);
    }
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
  it('name file and line, exit 2', () => {
    const file = join(scratch, 'damaged.txt');
    writeFileSync(file, text('kvm-x2-4cpu-s1.txt.gz').replace('r 0 8 -> 0', 'r 0 8 -> ?'));
    const { status, stderr } = run(file);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /damaged\.txt line 10: got "r 0 8 -> \?", allowed a line `op -> result`/,
    );
  });

  it.each([
    ['text of no kind', 'hello\nworld\n', /allowed a local-APIC log .* or a KVM transcript/],
    ['nothing', '', /allowed a local-APIC log/],
    ['a log without its CPUs', 'Z 1 id 1 base fee00800\nW 1 0f 1ff\n', /a Z line for CPU 0 before/],
    ['a CPU that does not exist', 'N 2 -> x2api=0 ok\nr 5 8 -> 0\n', /line 2: .*allowed CPUs 0-1/],
    ['two machines', 'N 2 -> x2api=0 ok\nN 2 -> x2api=0 ok\n', /line 2: .*one line N/],
    ['too many CPUs', 'N ffffff -> x2api=0 ok\n', /allowed one line N with 1-400 CPUs/],
  ])('%s', (_what, content, message) => {
    const file = join(scratch, 'odd.txt');
    writeFileSync(file, content);
    const { status, stderr } = run(file);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });

  it('a cut .gz, a directory, a missing file, a bad model', () => {
    const cut = join(scratch, 'cut.gz');
    const whole = readFileSync(`${RECORDINGS}kvm-x2-4cpu-s1.txt.gz`);
    writeFileSync(cut, whole.subarray(0, whole.length >> 1));
    expect(run(cut).stderr).toMatch(/damaged gzip data/);
    for (const args of [[cut], [scratch], ['nowhere.gz'], [], [cut, '--model', 'kvn']]) {
      expect(run(...args).status).toBe(2);
    }
    expect(run(cut, '--model', 'kvn').stderr).toMatch(/did you mean kvm\?/);
  });

  it('a damaged file does not keep the others from being verified', () => {
    const file = join(scratch, 'half.txt');
    writeFileSync(file, 'N 2 -> x2api=0 ok\nr 0 8 -> ?\n');
    const { status, stdout } = run('--json', file, `${RECORDINGS}kvm-x2-4cpu-s1.txt.gz`);
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
