import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RULES } from '../reference/rules.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string) => readFileSync(`${root}${name}`, 'utf8');

describe('the documents', () => {
  it('the spec map names functions and tests that exist', () => {
    const rows = read('docs/spec-map.md')
      .split('\n')
      .filter((line) => line.startsWith('| ') && line.includes('.ts'));
    expect(rows.length).toBeGreaterThan(80);
    for (const row of rows) {
      const [, , , code = '', test = '', rules = ''] = row.split('|').map((cell) => cell.trim());
      const [file = '', name = ''] = code.split(' ');
      expect(read(file), row).toMatch(new RegExp(`(?:function\\*?|static) ${name}\\(`));
      expect(existsSync(`${root}${test}`), row).toBe(true);
      for (const rule of rules.split('; ').filter(Boolean)) expect(RULES, row).toContain(rule);
    }
    for (const rule of RULES)
      expect(
        rows.some((row) => row.includes(rule)),
        rule,
      ).toBe(true);
  });

  it('links point at files', () => {
    for (const file of ['README.md', 'docs/architecture.md', 'docs/fidelity.md']) {
      for (const [, link] of read(file).matchAll(/\]\(([^)#:]+)\)/g)) {
        const base = file.startsWith('docs/') ? 'docs/' : '';
        expect(existsSync(`${root}${base}${link}`), `${file}: ${link}`).toBe(true);
      }
    }
  });

  it('the library example in the README runs as printed', () => {
    const code = /```js\n([\s\S]*?)```/
      .exec(read('README.md'))![1]!
      .replace("'ipistorm'", `'${root}dist/src/index.js'`);
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
    });
    expect(out.length).toBeGreaterThan(0);
  });
});
