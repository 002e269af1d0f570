// The recordings, read, changed and verified.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect } from 'vitest';
import { verifyFile } from '../../src/verify/verify.js';
import { generator } from '../reference/random.js';

export const RECORDINGS = new URL('../fixtures/recordings/', import.meta.url).pathname;
export const FILES = readdirSync(RECORDINGS).filter((name) => name.endsWith('.gz'));
export const scratch = mkdtempSync(join(tmpdir(), 'ipistorm-verify-'));
afterAll(() => rmSync(scratch, { recursive: true }));

export const text = (name: string): string =>
  gunzipSync(readFileSync(RECORDINGS + name)).toString('latin1');

export async function verifyText(content: string) {
  const file = join(scratch, 'changed.txt');
  writeFileSync(file, content);
  const { ledger } = await verifyFile(file, undefined, () => true);
  return ledger;
}

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

/** One changed digit in a checked field is found, so many times. */
export async function findsChanges(name: string, times: number): Promise<void> {
  const lines = text(name).split('\n');
  const first = Math.max(
    0,
    lines.findIndex((line) => line.startsWith('Z ')),
  );
  const random = generator(name.length);
  for (let tries = 0; tries < times; ) {
    const at = first + random.below(lines.length - first);
    const changed = lines[at] && change(lines[at]!);
    if (!changed) continue;
    tries++;
    const ledger = await verifyText(lines.with(at, changed).join('\n'));
    expect(ledger.mismatches.length, `line ${at + 1}: ${lines[at]} -> ${changed}`).toBeGreaterThan(
      0,
    );
    expect(ledger.mismatches[0]!.line).toBeLessThanOrEqual(at + 2);
  }
}
