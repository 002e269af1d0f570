// Valid traces, broken: cut, joined, reordered, renamed, widened. The reader ends, throws nothing
// but its own errors, and counts what regular expressions count.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isSend } from '../../src/trace/events.js';
import { CPUS, DIALECTS, events } from './dialects.js';
import { read } from './text.js';

type Mutation = (lines: string[], at: number, other: number) => void;

const MUTATIONS: Record<string, Mutation> = {
  cut: (lines, at, other) => {
    lines[at] = lines[at]!.slice(0, other % (lines[at]!.length + 1));
  },
  behead: (lines, at, other) => {
    lines[at] = lines[at]!.slice(other % (lines[at]!.length + 1));
  },
  join: (lines, at) => {
    lines.splice(at, 2, `${lines[at]}${lines[at + 1] ?? ''}`);
  },
  swap: (lines, at, other) => {
    const to = other % lines.length;
    [lines[at], lines[to]] = [lines[to]!, lines[at]!];
  },
  repeat: (lines, at) => {
    lines.splice(at, 0, lines[at]!);
  },
  drop: (lines, at) => {
    lines.splice(at, 1);
  },
  widen: (lines, at, other) => {
    lines[at] = lines[at]!.replace(/ /g, ' '.repeat((other % 60) + 1));
  },
  carriage: (lines, at) => {
    lines[at] = lines[at]!.replace(/\r?$/, '\r');
  },
  rename: (lines, at, other) => {
    lines[at] = lines[at]!.replace(/[a-z]+/, '\u00ff[0] 1: \u0007'.slice(0, other % 9));
  },
  number: (lines, at, other) => {
    lines[at] = lines[at]!.replace(/\d+/, '1'.repeat(other % 30));
  },
  noise: (lines, at, other) => {
    lines.splice(
      at,
      0,
      String.fromCharCode(
        ...Array.from({ length: other % 50 }, (_, i) => (i * other) % 256),
      ).replace(/\n/g, ''),
    );
  },
};

const SYMBOLS = String.raw`callsite=\S.*?callback=\S`;
const CPU = String.raw`cpu=\d{1,5}(?!\d)`;
const HEX = '[0-9a-f]{8}(?:,[0-9a-f]{8})*';
const LIST = String.raw`\d{1,5}(?:-\d{1,5})?(?:,\d{1,5}(?:-\d{1,5})?)*`;
const MASK = String.raw`cpumask=(?:${HEX}|${LIST}|ARRAY\[[0-9a-f, ]+\]|(?=\s))`;
const EVENT =
  /^[ \t]*(?:\([+-]\S+[ \t]+)?(?:\d+[ \t]+)?[A-Za-z_][\w-]*(?::[A-Za-z_][\w.-]*)?:(?:[ \t]|$)/;
const SYSTEM = /^[ \t]*(?:\d+[ \t]+)?[A-Za-z_][\w-]*:[A-Za-z_][\w.-]*:(?:[ \t]|$)/;

/** [cpu] flags time: rest. */
function anchorOf(time: string): RegExp {
  return new RegExp(
    String.raw`\[\d{3,5}\][ \t]+(?:[^ \t:]{1,12}[ \t]+)?${time}:[ \t]([^\n]*)$`,
    'y',
  );
}

const SECONDS = anchorOf(String.raw`\d{1,20}\.\d{6,9}`);
const TICKS = anchorOf(String.raw`\d{1,20}`);

/**
 * What follows the anchor that a person would take: after a number, or before perf's system; the
 * first with an event.
 */
function restOf(line: string, anchor: RegExp): string {
  const rests: string[] = [];
  for (const { index } of line.matchAll(/\[/g)) {
    anchor.lastIndex = index;
    const rest = anchor.exec(line)?.[1];
    if (rest === undefined) continue;
    if (SYSTEM.test(rest) || /(?:^|[\d)])\s*$/.test(line.slice(0, index))) rests.push(rest);
  }
  return rests.find((rest) => EVENT.test(rest)) ?? '';
}

const SEND = new RegExp(
  String.raw`^[ \t]*(?:\([+-]\S+[ \t]+)?(?:\d+[ \t]+)?(?:[\w-]+:)?ipi_send_cpu(?::[ \t]+${CPU}|mask:[ \t]+${MASK})[ \t]+${SYMBOLS}`,
);

function grep(text: string, anchor: RegExp): number {
  // Longer lines are damage.
  const lines = text.split('\n').filter((line) => line.length <= 2 ** 20);
  const rests = lines.map((line) => restOf(line.replace(/\r$/, ''), anchor));
  // Of two lines that became one the first counts, if it is whole.
  const own = rests.map((rest) => {
    const begin = rest.indexOf('ipi_send_cpu') + 12;
    const next = rest.slice(begin).search(/[ :]ipi_send_cpu(?:mask)?: /);
    return next < 0 ? rest : rest.slice(0, begin + next);
  });
  return own.filter((rest) => SEND.test(rest)).length;
}

/** Of these forms the expressions above say what is in them. */
const GREPPED = DIALECTS.filter(({ name }) =>
  /^(?:tracefs|trace_pipe|trace-cmd report(?! -[lR])|perf script(?! -F comm)(?! -F cpu,event))/.test(
    name,
  ),
);

const mutations = fc.array(
  fc.record({ how: fc.constantFrom(...Object.keys(MUTATIONS)), at: fc.nat(), other: fc.nat(5000) }),
  { minLength: 1, maxLength: 5 },
);

function mutate(text: string, list: readonly { how: string; at: number; other: number }[]): string {
  const lines = text.split('\n');
  for (const { how, at, other } of list)
    if (lines.length > 0) MUTATIONS[how]!(lines, at % lines.length, other);
  return lines.join('\n');
}

/** Sends found; undefined when the file was refused. */
function sends(text: string): number | undefined {
  try {
    const trace = read(text);
    const { rows } = trace;
    let found = 0;
    for (let row = 0; row < rows.length; row++) if (isSend(rows.what(row))) found++;
    return found + trace.doubles + trace.copiedSends;
  } catch (error) {
    expect((error as Error).name, String((error as Error).stack)).toBe('UsageError');
    return undefined;
  }
}

/** The tests, each with so many broken traces. */
export function brokenTraces(runs: number): void {
  it.each(DIALECTS)('$name: only our own errors', ({ print }) => {
    fc.assert(
      fc.property(events, mutations, (list, broken) => {
        const found = sends(mutate(print(list, CPUS), broken));
        expect(found ?? 1).toBeGreaterThan(0);
      }),
      { numRuns: runs },
    );
  });

  it.each(GREPPED)('$name: as many sends as regular expressions find', ({ print, clock }) => {
    fc.assert(
      fc.property(events, mutations, (list, broken) => {
        const text = mutate(print(list, CPUS), broken);
        expect([sends(text) ?? 0, text]).toEqual([
          grep(text, clock === 'counter' ? TICKS : SECONDS),
          text,
        ]);
      }),
      { numRuns: runs },
    );
  });
}
