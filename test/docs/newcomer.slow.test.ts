// CONTRIBUTING.md's steps for a driver, done as printed in a copy of the checkout.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const copy = join(mkdtempSync(join(tmpdir(), 'ipistorm-newcomer-')), 'ipistorm');
afterAll(() => rmSync(join(copy, '..'), { recursive: true }));

const LEFT_OUT = new Set(['node_modules', 'dist', 'build', '.git', 'coverage']);

/** Block by block: the file named last, and the line below which it goes; none: a new file. */
function* steps(text: string): Generator<{ file: string; below?: string; code: string }> {
  let file = '';
  for (const [, before = '', indent = '', block = ''] of text.matchAll(
    /([\s\S]*?)\n( *)```ts\n([\s\S]*?)\n *```/g,
  )) {
    const isNew = /New file `([^`]+)`$/.exec(before);
    file = isNew?.[1] ?? /.*In `([^`]+)`/s.exec(before)?.[1] ?? file;
    const below = /below `([^`]+)`$/.exec(before)?.[1];
    if (!isNew && below === undefined) throw new Error(`no place named for: ${block}`);
    const code = block.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    yield { file, ...(isNew ? {} : { below }), code };
  }
}

/** Puts `code` below the one line that reads `below`, indented as it, or as its body. */
function insert(text: string, below: string, code: string): string {
  const lines = text.split('\n');
  const places = lines.flatMap((line, i) => (line.trim() === below ? [i] : []));
  expect(places, below).toHaveLength(1);
  const at = places[0]!;
  const indent = /^ */.exec(lines[at]!)![0] + (below.endsWith('{') ? '  ' : '');
  lines.splice(at + 1, 0, ...code.split('\n').map((line) => indent + line));
  return lines.join('\n');
}

it('a driver added as CONTRIBUTING.md says shows its ICR writes', () => {
  cpSync(root, copy, {
    recursive: true,
    filter: (path) => !LEFT_OUT.has(relative(root, path).split('/')[0]!),
  });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const chapter = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')
    .split('### A driver\n')[1]!
    .split('\n### ')[0]!;
  let count = 0;
  for (const { file, below, code } of steps(chapter)) {
    const path = join(copy, file);
    writeFileSync(
      path,
      below === undefined ? `${code}\n` : insert(readFileSync(path, 'utf8'), below, code),
    );
    count++;
  }
  expect(count).toBe(10);
  execFileSync(process.execPath, ['tools/build.mjs'], { cwd: copy, stdio: 'pipe' });
  const [command = '', ...shown] = /```text\n\$ npx ipistorm ([\s\S]*?)\n```/
    .exec(chapter)![1]!
    .split('\n');
  const run = (...args: string[]) =>
    execFileSync(process.execPath, ['dist/src/cli/main.js', ...args], {
      cwd: copy,
      encoding: 'utf8',
    });
  expect(run(...command.split(' '))).toBe(`${shown.join('\n')}\n`);
  expect(run('storm', '--driver', 'mine', '--sends', '1000')).toContain('holds');
  expect(run('run', 'normal', '--driver', 'mine')).toContain('mine, seed 1');
}, 300_000);
