// docs/traces.md: each row's fixture is read as the row says.
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { replayed } from './text.js';

const DOC = new URL('../../docs/traces.md', import.meta.url);
const FIXTURES = new URL('../fixtures/traces/', import.meta.url);
const text = readFileSync(DOC, 'utf8');
const rows = text
  .split('\n')
  .map((line) => line.split(' | '))
  .filter((cells) => /^\S+\.(?:txt|gz) \|$/.test(cells.at(-1) ?? '') && cells.length === 5);

function show(fixture: string): string[] {
  const bytes = readFileSync(new URL(fixture, FIXTURES));
  const content = (fixture.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
  const { trace, ipis } = replayed(content);
  expect(trace.damaged).toEqual([]);
  return [trace.describe(), String(trace.sends), String(ipis)];
}

describe('docs/traces.md', () => {
  it('has a row for each dialect', () => expect(rows.length).toBeGreaterThan(35));

  it.each(rows.map((cells) => [cells[0]!.slice(2), cells] as const))('%s', (_, cells) => {
    const fixture = cells[4]!.slice(0, -2);
    const now = show(fixture);
    if (process.env.DOCS_WRITE) {
      const doc = readFileSync(DOC, 'utf8');
      const line = [cells[0], ...now, cells[4]].join(' | ');
      writeFileSync(
        DOC,
        doc.replace(cells.join(' | '), () => line),
      );
    } else expect(cells.slice(1, 4)).toEqual(now);
  });
});
