// .ci/run with commands that only note how they were called.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Scratch } from './scratch.js';

const CI = fileURLToPath(new URL('../../.ci', import.meta.url));
let scratch: Scratch;
const ci = (more: Record<string, string> = {}) => {
  const { status, stdout } = scratch.run('bash', ['.ci/run'], more);
  return { status, lines: stdout.trimEnd().split('\n') };
};

beforeEach(() => {
  scratch = new Scratch(['npm', 'node']);
  cpSync(CI, join(scratch.path, '.ci'), { recursive: true });
});
afterEach(() => rmSync(scratch.path, { recursive: true }));

describe('.ci/run', () => {
  it('runs every step; the last line counts them', () => {
    const { status, lines } = ci();
    expect(lines.at(-1)).toBe('9 passed, 0 failed');
    expect(status).toBe(0);
    const calls = scratch.calls();
    expect(calls.slice(0, 3)).toEqual(['npm ci', 'npm test', 'npm run lint']);
    expect(calls).toContain('npm run test:slow');
    expect(calls).toHaveLength(9);
  });

  it('goes on after a step that fails, and fails in the end', () => {
    scratch.failing = 'npm run lint';
    const { status, lines } = ci();
    expect(lines).toContain('FAILED: npm run lint (exit code 1)');
    expect(lines.at(-1)).toBe('8 passed, 1 failed');
    expect(status).toBe(1);
  });

  it('names what it left out when the time has passed, and does not count it', () => {
    const { status, lines } = ci({ OPTIONAL_UNTIL_S: '0' });
    expect(lines).toContain('left out: npm run test:slow (0 minutes passed)');
    expect(lines.filter((line) => line.startsWith('left out: '))).toHaveLength(4);
    expect(lines.at(-1)).toBe('5 passed, 0 failed');
    expect(status).toBe(0);
    expect(scratch.calls()).toHaveLength(5);
  });
});
