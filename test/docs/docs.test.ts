import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseCommented } from '../../src/timed/commented.js';
import { checkScenario } from '../../src/timed/scenario.js';
import { documents } from '../../tools/docs.mjs';
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
      expect(read(file), row).toMatch(new RegExp(`(?:function\\*?|static|class) ${name}\\b`));
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
    for (const file of documents()) {
      for (const [, link] of read(file).matchAll(/\]\(([^)#:]+)\)/g)) {
        expect(existsSync(join(root, dirname(file), link!)), `${file}: ${link}`).toBe(true);
      }
    }
  });

  it('a source file that is named exists, by its path or by the end of it', () => {
    const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
    }).split('\n');
    // The made-up driver, and the command to be written, of CONTRIBUTING.md.
    const madeUp = /(^|\/)(mine|NAME)\.ts$/;
    for (const page of documents()) {
      for (const [, name = ''] of read(page).matchAll(/`([\w./-]+\.(?:ts|mjs))`/g)) {
        const found = files.some((file) => file === name || file.endsWith(`/${name}`));
        expect(found || madeUp.test(name), `${page}: ${name}`).toBe(true);
      }
    }
  });

  const codes = [...read('README.md').matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code!);
  it.each(codes)('the library example in the README runs as printed: %s', (code) => {
    const entry = `import { Machine } from '${root}dist/src/index.js';\n`;
    const own = code.replace("import { Machine } from 'ipistorm';\n", '');
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', entry + own], {
      encoding: 'utf8',
    });
    expect(out.length > 0).toBe(code.includes('console.log'));
  });

  it('the scenario in docs/time.md is one', () => {
    const [, text] = /```jsonc\n([\s\S]*?)```/.exec(read('docs/time.md'))!;
    expect(checkScenario(parseCommented(text!)).workloads).toHaveLength(2);
  });
});
