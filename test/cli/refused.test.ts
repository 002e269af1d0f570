// docs/traces.md: each file that is refused is refused with what to do, and never with a table.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { run } from './run.js';

const text = readFileSync(new URL('../../docs/traces.md', import.meta.url), 'utf8');
const FIXTURES = new URL('../fixtures/traces/', import.meta.url).pathname;
const rows = text
  .split('\n')
  .filter((line) => / refused\/\S+ \|$/.test(line))
  .map((line) => line.slice(2, -2).split(' | '));

describe('docs/traces.md: what is refused', () => {
  it('has a row for each kind', () => expect(rows.length).toBeGreaterThan(12));

  it.each(rows)('%s', async (_, todo, fixture) => {
    const file = FIXTURES + fixture;
    const { status, stdout, stderr } = await run('replay', file, '--json');
    expect(status).toBe(2);
    expect(stdout).toBe('');
    // The first command or option of the row, with the file that was given.
    const [, first] = /`([^`]+)`/.exec(todo!) ?? ['', 'set the options'];
    const wanted = first!.replace(/\\/g, '').replace(/FILE/g, () => file);
    expect(stderr).toContain(todo!.startsWith('set the options') ? 'set the options' : wanted);
  });
});
