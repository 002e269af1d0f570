// npm run hooks, in a repository of its own.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Scratch } from './scratch.js';

const TOOL = fileURLToPath(new URL('../../tools/hooks.mjs', import.meta.url));
let scratch: Scratch;
let hook: string;
const hooks = (...args: string[]) => scratch.run(process.execPath, [TOOL, ...args]);
const git = (...args: string[]) =>
  scratch.run('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);

beforeEach(() => {
  scratch = new Scratch(['npm', 'npx']);
  hook = join(scratch.path, '.git/hooks/pre-commit');
  git('init', '--quiet', '--template=');
});
afterEach(() => rmSync(scratch.path, { recursive: true }));

describe('npm run hooks', () => {
  it('lint, types and the fast tests of what changed run before a commit', () => {
    expect(hooks().status).toBe(0);
    expect(git('commit', '--allow-empty', '-m', 'a').status).toBe(0);
    expect(scratch.calls()).toEqual([
      'npm run --silent lint',
      'npm run --silent check',
      'npx vitest run --project fast --changed --passWithNoTests',
    ]);
  });

  it.each(['lint', 'check', 'vitest'])('there is no commit when %s fails', (what) => {
    hooks();
    scratch.failing = what;
    expect(git('commit', '--allow-empty', '-m', 'a').status).not.toBe(0);
    expect(git('log').status).not.toBe(0);
  });

  it('--remove takes it away; both may be said twice', () => {
    for (const args of [[], [], ['--remove'], ['--remove']]) {
      expect(hooks(...args).status).toBe(0);
      expect(existsSync(hook)).toBe(args.length === 0);
    }
  });

  it("somebody else's hook is neither overwritten nor removed", () => {
    mkdirSync(join(scratch.path, '.git/hooks'));
    writeFileSync(hook, '#!/bin/sh\n');
    for (const args of [[], ['--remove']]) {
      const { status, stderr } = hooks(...args);
      expect(status).toBe(1);
      expect(stderr).toMatch(/pre-commit: got a hook of somebody else, allowed none or our own/);
      expect(readFileSync(hook, 'utf8')).toBe('#!/bin/sh\n');
    }
  });

  it('core.hooksPath says where', () => {
    git('config', 'core.hooksPath', 'elsewhere');
    hooks();
    expect(existsSync(join(scratch.path, 'elsewhere/pre-commit'))).toBe(true);
    expect(existsSync(hook)).toBe(false);
  });

  it('another option is refused', () => {
    expect(hooks('--force')).toMatchObject({ status: 1 });
    expect(existsSync(hook)).toBe(false);
  });
});
