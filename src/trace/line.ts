// One line of a trace, found by its anchor: `[cpu] flags timestamp: event:` and its other forms.
// Task names may hold anything, so nothing here counts columns. Linux kernel/trace/trace_output.c
// trace_print_context(), trace_print_lat_context(), kernel/trace/trace_functions_graph.c
// print_graph_prologue(), tools/perf/builtin-script.c perf_sample__fprintf_start(), trace-cmd report.

import { CPUS_MAX } from './cpumask.js';

/** What a timestamp counts. */
export type Unit = 'ns' | 'ticks' | 'none';

/** Filled by the scanners, reused from line to line. */
export class TraceLine {
  cpu = 0;
  /** Integer part: seconds, or ticks of a clock without a unit. '' without a time. */
  whole = '';
  /** Digits after the point; '' for ticks. */
  fraction = '';
  unit: Unit = 'none';
  /** Event name without its system and colon; '' when the line is no event (a function, a stack). */
  name = '';
  /** Before the event's colon, as in ipi:ipi_send_cpu; '' for none. */
  system = '';
  /** What follows the event name. */
  text = '';
  /** Before the anchor: task, pid. */
  head = '';
  /** A difference to the previous event stands after the time (trace-cmd report --ts-diff). */
  diff = false;
  /** Of a file whose clock is known: a number of the other form is no timestamp. */
  only: Unit | undefined;
}

const [TAB, SPACE, DOT, COLON, CLOSE] = [9, 32, 46, 58, 93] as const;

const digit = (code: number) => code >= 48 && code <= 57;
const blank = (code: number) => code === SPACE || code === TAB;

function skip(line: string, at: number): number {
  let i = at;
  while (i < line.length && blank(line.charCodeAt(i))) i++;
  return i;
}

function word(line: string, at: number): number {
  let i = at;
  while (i < line.length && !blank(line.charCodeAt(i))) i++;
  return i;
}

function digits(line: string, at: number): number {
  let i = at;
  while (i < line.length && digit(line.charCodeAt(i))) i++;
  return i;
}

/**
 * A timestamp that ends with a colon: "3.611669:", "187:", "52us+:", "52us :". Returns the place
 * after the colon, -1 when there is none.
 */
function time(line: string, at: number, out: TraceLine): number {
  const whole = digits(line, at);
  if (whole === at || whole - at > 20) return -1;
  let end = whole;
  out.fraction = '';
  out.unit = 'ticks';
  if (line.charCodeAt(end) === DOT) {
    end = digits(line, whole + 1);
    if (end - whole < 7 || end - whole > 10) return -1;
    out.fraction = line.slice(whole + 1, end);
    out.unit = 'ns';
  } else if (line.startsWith('us', end)) {
    end = mark(line, end + 2);
    return micros(line, at, whole, end, out);
  }
  if (line.charCodeAt(end) !== COLON || !blank(line.charCodeAt(end + 1))) return -1;
  if (out.only !== undefined && out.only !== out.unit) return -1;
  out.whole = line.slice(at, whole);
  return end + 1;
}

/** The latency format marks long gaps: "us!:", "us+:", "us :". Linux trace_find_mark(). */
function mark(line: string, at: number): number {
  return '!+#*@$ '.includes(line[at] ?? 'x') ? at + 1 : at;
}

function micros(line: string, at: number, whole: number, end: number, out: TraceLine): number {
  if (line.charCodeAt(end) !== COLON) return -1;
  const us = line.slice(at, whole).padStart(7, '0');
  out.whole = us.slice(0, -6);
  out.fraction = us.slice(-6);
  out.unit = 'ns';
  return end + 1;
}

/** Names of events: letters, digits, and what perf adds after a slash. */
const NAME = /^[A-Za-z_][\w.-]*$/;

/** The event and its fields at `at`: "ipi_send_cpu: ..." or "ipi:ipi_send_cpu: ...". */
function event(line: string, at: number, out: TraceLine): boolean {
  const end = word(line, at);
  out.name = '';
  out.system = '';
  out.text = '';
  if (line.charCodeAt(end - 1) !== COLON) {
    out.text = line.slice(at);
    return false;
  }
  const slash = line.indexOf('/', at);
  const [system, name, ...modifiers] = line
    .slice(at, slash > at && slash < end ? slash : end - 1)
    .split(':');
  const plain = name === undefined ? system! : name;
  if (!NAME.test(plain) || !NAME.test(system!) || modifiers.length > 1) return false;
  out.name = plain;
  out.system = name === undefined ? '' : system!;
  out.text = line.slice(skip(line, end));
  return true;
}

/** What may stand between time and event: trace-cmd's "(+15)", perf's period. */
function beforeEvent(line: string, at: number, out: TraceLine): number {
  let i = skip(line, at);
  out.diff = line.startsWith('(+', i) || line.startsWith('(-', i);
  if (out.diff) i = skip(line, word(line, i));
  const number = digits(line, i);
  return number > i && blank(line.charCodeAt(number)) ? skip(line, number) : i;
}

/** The flags of the interrupt state, or perf's: one short word, no colon. */
function flags(line: string, from: number, to: number): boolean {
  if (to - from > 12) return false;
  for (let i = from; i < to; i++) if (line.charCodeAt(i) === COLON) return false;
  return true;
}

/** A pid, a tgid in parentheses or the start of the line stands before the `[cpu]` that ends at `at`. */
function taskBefore(line: string, at: number): boolean {
  let i = line.lastIndexOf('[', at - 1) - 1;
  while (i >= 0 && blank(line.charCodeAt(i))) i--;
  return i < 0 || digit(line.charCodeAt(i)) || line[i] === ')';
}

/** perf script -F tod: the local time of day. */
const TIME_OF_DAY = /(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{6}) /y;

function timeOfDay(line: string, at: number, out: TraceLine): number {
  TIME_OF_DAY.lastIndex = at;
  const m = TIME_OF_DAY.exec(line);
  if (!m) return -1;
  const [year, month, day, hour, minute, second] = m.slice(1, 7).map(Number);
  out.whole = String(Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) / 1000);
  out.fraction = m[7]!;
  out.unit = 'ns';
  return TIME_OF_DAY.lastIndex;
}

/** Where the event begins after a timestamp at `at` or one word later, -1 when there is none. */
function afterTime(line: string, at: number, out: TraceLine): number {
  const end = time(line, at, out);
  if (end >= 0) return end;
  const gap = word(line, at);
  return flags(line, at, gap) ? time(line, skip(line, gap), out) : -1;
}

/** Older kernels print the tgid behind the CPU: "[001] (  123) d..1. ". */
function afterTgid(line: string, at: number): number {
  if (line[at] !== '(') return at;
  const close = line.indexOf(')', at);
  return close > 0 && close - at <= 12 ? skip(line, close + 1) : at;
}

/** After `[cpu]`: flags, time or time of day, and event. */
function timed(line: string, at: number, out: TraceLine): boolean {
  const blanks = skip(line, at);
  if (blanks === at) return false;
  const first = afterTgid(line, blanks);
  let end = afterTime(line, first, out);
  if (end < 0) {
    const gap = word(line, first);
    const place =
      timeOfDay(line, first, out) >= 0 || !flags(line, first, gap) ? first : skip(line, gap);
    const day = timeOfDay(line, place, out);
    if (day < 0) return false;
    end = time(line, skip(line, day), out);
    if (end < 0) end = timeOfDay(line, place, out);
  }
  event(line, beforeEvent(line, end, out), out);
  return out.system !== '' || taskBefore(line, at);
}

/** After `[cpu]` of perf script -F without time: flags, and sys:event. */
function timeless(line: string, at: number, out: TraceLine): boolean {
  out.whole = '';
  out.fraction = '';
  out.unit = 'none';
  return event(line, beforeEvent(line, at, out), out) && out.system !== '';
}

/** Where `[cpu]` ends when it begins at `open`; every tool prints [%03d]. -1 for anything else. */
function cpuEnd(line: string, open: number): number {
  const close = digits(line, open + 1);
  const fits = close - open >= 4 && close - open <= 6 && line.charCodeAt(close) === CLOSE;
  return fits ? close + 1 : -1;
}

/** How sure it is that this is the line's anchor: it has an event, and a time in seconds. */
function sureness(out: TraceLine): number {
  return (out.name === '' ? 0 : 2) + (out.unit === 'ns' || out.only === 'ticks' ? 1 : 0);
}

const SURE = 3;

/** The surest anchor, the first of equals: a task's name may look like one. */
function scan(line: string, out: TraceLine, rest: typeof timed, sure = SURE): boolean {
  let [best, found] = [-1, -1];
  for (let open = line.indexOf('['); open >= 0; open = line.indexOf('[', open + 1)) {
    const end = cpuEnd(line, open);
    if (end < 0 || !rest(line, end, out)) continue;
    const now = sureness(out);
    if (now >= sure) return taken(line, open, end, out);
    if (now > best) [best, found] = [now, open];
  }
  if (found < 0) return false;
  const end = cpuEnd(line, found);
  rest(line, end, out);
  return taken(line, found, end, out);
}

function taken(line: string, open: number, end: number, out: TraceLine): boolean {
  out.cpu = Number(line.slice(open + 1, end - 1));
  out.head = line.slice(0, open).trim();
  return out.cpu < CPUS_MAX;
}

/** `task-pid [cpu] flags time: event: fields`, and perf's `task pid [cpu] time: sys:event: fields`. */
export function scanBracket(line: string, out: TraceLine): boolean {
  return scan(line, out, timed);
}

/** perf script -F without time: `task pid [cpu] sys:event: fields`. */
export function scanTimeless(line: string, out: TraceLine): boolean {
  return scan(line, out, timeless, 2);
}

/** Linux lat_print_generic(): `comm-pid  3d..1. time: event:`, CPU and flags in one word. */
export function scanLatency(line: string, out: TraceLine): boolean {
  for (let dash = line.indexOf('-'); dash >= 0; dash = line.indexOf('-', dash + 1)) {
    const pid = digits(line, dash + 1);
    if (pid === dash + 1 || !blank(line.charCodeAt(pid))) continue;
    const cpu = skip(line, pid);
    const state = digits(line, cpu);
    const gap = word(line, state);
    if (state === cpu || state - cpu > 5 || gap - state < 3 || gap - state > 8) continue;
    const end = time(line, skip(line, gap), out);
    if (end < 0) continue;
    out.cpu = Number(line.slice(cpu, state));
    if (out.cpu >= CPUS_MAX) return false;
    out.head = line.slice(0, pid).trim();
    event(line, beforeEvent(line, end, out), out);
    return true;
  }
  return false;
}

const VERBOSE =
  /(\d{1,10}) {1,10}(\d{1,5}) (\d{1,10}) ([0-9a-f]{8}) ([0-9a-f]{8,16}) \[([0-9a-f]{8,16})\] (-?\d{1,20}(?:\.\d{3}ms)?) \(\+(-?\d{1,20}(?:\.\d{3}ms)?)\): /;

/** The latency format with the option verbose: pid, CPU, flags and index as numbers, time in hex. */
export function scanVerbose(line: string, out: TraceLine): boolean {
  if (!line.includes('] ') || !line.includes(' (+')) return false;
  const m = VERBOSE.exec(line.slice(0, 400));
  if (!m) return false;
  out.cpu = Number(m[2]);
  if (out.cpu >= CPUS_MAX) return false;
  const stamp = BigInt(`0x${m[6]}`).toString();
  if (m[7]!.endsWith('ms')) {
    const us = stamp.padStart(7, '0');
    [out.whole, out.fraction, out.unit] = [us.slice(0, -6), us.slice(-6), 'ns'];
  } else [out.whole, out.fraction, out.unit] = [stamp, '', 'ticks'];
  out.head = line.slice(0, m.index + m[1]!.length).trim();
  out.diff = false;
  event(line, m.index + m[0].length, out);
  return true;
}

/** Seconds of funcgraph-abstime, or microseconds since the trace's start. */
function graphTime(whole: string, fraction: string, relative: boolean, out: TraceLine): void {
  const us = whole.padStart(7, '0');
  out.whole = relative ? us.slice(0, -6) : whole;
  out.fraction = relative ? us.slice(-6) + fraction.slice(0, 3) : fraction;
  out.unit = 'ns';
}

// function_graph prints ` 12.000100 |   1)  task-12  |               |`, then the function, or an
// event as a comment between the signs of C.
/** True for every line of the graph that names a CPU; `name` is '' unless it holds an event. */
export function scanGraph(line: string, out: TraceLine): boolean {
  let at = skip(line, 0);
  out.whole = '';
  out.fraction = '';
  out.unit = 'none';
  const bar = line.indexOf('|');
  const whole = digits(line, at);
  if (bar > whole && line.charCodeAt(whole) === DOT) {
    const end = digits(line, whole + 1);
    const relative = line.startsWith(' us', end);
    if (skip(line, relative ? end + 3 : end) !== bar) return false;
    graphTime(line.slice(at, whole), line.slice(whole + 1, end), relative, out);
    at = skip(line, bar + 1);
  }
  const cpu = digits(line, at);
  if (cpu === at || cpu - at > 5 || line[cpu] !== ')' || !blank(line.charCodeAt(cpu + 1)))
    return false;
  out.cpu = Number(line.slice(at, cpu));
  if (out.cpu >= CPUS_MAX) return false;
  out.diff = false;
  const open = line.indexOf('/* ', cpu);
  out.head = '';
  out.name = '';
  if (open < 0) return true;
  const close = line.lastIndexOf(' */');
  event(close > open ? line.slice(0, close) : line, skip(line, open + 3), out);
  return true;
}

const NO_CPU =
  /(?:^|\s)\d{1,12}\.\d{6,9}:\s{1,80}(?:\d{1,20}\s{1,40})?([\w-]{1,60}):([\w.-]{1,80})[:/]/;

/** perf script of a recording of one process: an event with a time, but no CPU. */
export function withoutCpu(line: string): string | undefined {
  return NO_CPU.exec(line.slice(0, 300))?.[2];
}
