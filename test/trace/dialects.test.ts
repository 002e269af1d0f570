// Each tool's form, with whatever task names: what was printed is what is found.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSend, ROW } from '../../src/trace/events.js';
import { CPUS, DIALECTS, events } from './dialects.js';
import { read } from './text.js';

function found(text: string) {
  const trace = read(text);
  const { rows } = trace;
  const sends: [number, number[]][] = [];
  let entries = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = trace.row(at);
    if (isSend(rows.what(row))) sends.push([rows.cpu(row), [...rows.targets(row)]]);
    else if (rows.what(row) === ROW.entry) entries++;
  }
  return { trace, sends, entries };
}

describe('what a tool prints is found', () => {
  it.each(DIALECTS)('$name', ({ print, header, clock, name }) => {
    fc.assert(
      fc.property(events, (list) => {
        const { trace, sends, entries } = found(print(list, CPUS));
        const wprof = name.startsWith('wprof');
        const shown = list.filter(
          ({ targets }) => targets.length > 0 && !(wprof && targets.length > 1),
        );
        const sorted = (targets: readonly number[]) => [...targets].sort((a, b) => a - b);
        expect(sends).toEqual(shown.map(({ cpu, targets }) => [cpu, sorted(targets)]));
        expect(entries).toBe(list.filter(({ targets }) => targets.length === 0).length);
        expect(trace.damaged).toEqual([]);
        expect(trace.clock).toBe(clock);
        if (header) expect(trace.cpus).toBe(CPUS);
        if (clock === 'ns') {
          const span = list.at(-1)!.us - list[0]!.us;
          expect(Math.round(trace.spanNs! / 1000)).toBe(span);
        }
      }),
      { numRuns: 60 },
    );
  });
});
