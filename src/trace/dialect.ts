// Which tool wrote a trace, told once from its first lines.
import { CPUS_MAX } from './cpumask.js';
import {
  scanBracket,
  scanGraph,
  scanLatency,
  scanTimeless,
  scanVerbose,
  TraceLine,
  type Unit,
  withoutCpu,
} from './line.js';

export type TraceFormat = 'ftrace' | 'trace-cmd' | 'perf' | 'wprof' | 'bpftrace';
/** How a line of it is anchored. */
export type Anchor = 'bracket' | 'timeless' | 'latency' | 'verbose' | 'graph' | 'json' | 'columns';

export interface Dialect {
  format: TraceFormat;
  anchor: Anchor;
  /** What the timestamps of bracket lines count. */
  unit?: Unit;
}

export const FORMATS: readonly TraceFormat[] = ['ftrace', 'trace-cmd', 'perf', 'wprof', 'bpftrace'];

export type Scan = (line: string, out: TraceLine) => boolean;

/** "ns cpu event: fields" of a bpftrace or bcc one-liner; the event may be a whole probe name. */
const COLUMNS =
  /^\s{0,40}(?:(\d{1,10}\.\d{1,9})|(\d{1,20})) {1,40}(?:cpu[ =:]?|\[)?(\d{1,5})\]? (?:[^=]{0,80} )?(?:(?:t|tracepoint):)?(?:(\w{1,40}):)?(ipi_send_cpu|ipi_send_cpumask|\w{1,40}_entry|\w{1,40}_exit|csd_\w{1,40}):? (.*)$/i;

/** One line of a bpftrace or bcc program: time, CPU, event, fields. */
export function scanColumns(line: string, out: TraceLine): boolean {
  const m = COLUMNS.exec(line);
  if (!m) return false;
  const [, seconds, ns = '', cpu, system, name, text] = m;
  if (Number(cpu) >= CPUS_MAX) return false;
  const stamp = ns.padStart(10, '0');
  out.whole = seconds ? seconds.split('.')[0]! : stamp.slice(0, -9);
  out.fraction = seconds ? seconds.split('.')[1]! : stamp.slice(-9);
  out.unit = 'ns';
  out.cpu = Number(cpu);
  out.system = system ?? '';
  out.name = name!;
  out.text = text!;
  out.head = '';
  out.diff = false;
  return true;
}

export const SCANS: Readonly<Record<Exclude<Anchor, 'json'>, Scan>> = {
  bracket: scanBracket,
  timeless: scanTimeless,
  latency: scanLatency,
  verbose: scanVerbose,
  graph: scanGraph,
  columns: scanColumns,
};

/** A header, a mark or a blank line of any of the tools. */
export function isComment(line: string): boolean {
  return (
    /^(?:#|(?:\s{0,60}[\w.-]{1,60}:)?\s{0,60}cpus=\d{1,6}\s{0,20}$|version = |(?:\s{0,60}[\w.-]{1,60}:)?\s{0,60}CPU \d{1,5} is empty)/.test(
      line,
    ) || line.trim() === ''
  );
}

interface Seen {
  /** Timestamps in seconds, and without a unit. */
  seconds: number;
  ticks: number;
  perf: number;
  plain: number;
  other: Record<'timeless' | 'latency' | 'verbose' | 'graph' | 'columns', number>;
  /** Signs of trace-cmd: padded event names, symbols without their size. */
  padded: number;
  noCpu: string[];
  tracer: string | undefined;
  traceCmd: boolean;
}

function count(line: string, seen: Seen, out: TraceLine): void {
  if (line.startsWith('# tracer:')) seen.tracer ??= line.slice(9).trim();
  else if (/^cpus=\d{1,6}\s*$/.test(line)) seen.traceCmd = true;
  if (scanBracket(line, out)) {
    if (out.unit === 'ticks') seen.ticks++;
    else seen.seconds++;
    if (out.system !== '') seen.perf++;
    else if (out.name !== '') seen.plain++;
    if (out.diff || traceCmdForm(line, out)) seen.padded++;
    return;
  }
  if (isComment(line)) return;
  for (const anchor of ['timeless', 'verbose', 'latency', 'graph', 'columns'] as const) {
    if (!SCANS[anchor](line, out)) continue;
    seen.other[anchor]++;
    if (anchor === 'latency' && out.fraction.length > 0 && traceCmdForm(line, out)) seen.padded++;
    return;
  }
  const name = withoutCpu(line);
  if (name !== undefined) seen.noCpu.push(name);
}

/** trace-cmd pads "event:" to 22 columns, and prints no size of a symbol. */
function traceCmdForm(line: string, out: TraceLine): boolean {
  if (out.name === '') return false;
  return (
    (out.text !== '' && line.endsWith(`  ${out.text}`)) ||
    /\+0x[0-9a-f]{1,8}(?![0-9a-f/])/.test(out.text) ||
    /^(?:csd|cpu)\w{0,4}=.{0,80}=0x[0-9a-f]{16}/.test(out.text)
  );
}

/** What the first lines say: a dialect, why there is none, or nothing that is known. */
export function detect(lines: readonly string[]): Dialect | { noCpu: string } | undefined {
  const seen: Seen = {
    seconds: 0,
    ticks: 0,
    perf: 0,
    plain: 0,
    other: { timeless: 0, latency: 0, verbose: 0, graph: 0, columns: 0 },
    padded: 0,
    noCpu: [],
    tracer: undefined,
    traceCmd: false,
  };
  const out = new TraceLine();
  for (const line of lines) count(line.endsWith('\r') ? line.slice(0, -1) : line, seen, out);
  const bracket = seen.perf + seen.plain;
  const [anchor, most] = Object.entries(seen.other).reduce((a, b) => (b[1] > a[1] ? b : a));
  if (seen.tracer?.startsWith('function_graph')) return { format: 'ftrace', anchor: 'graph' };
  if (bracket === 0 && most === 0) {
    if (seen.noCpu.length > 0) return { noCpu: seen.noCpu[0]! };
    if (seen.tracer !== undefined) return { format: 'ftrace', anchor: 'bracket' };
    return seen.traceCmd ? { format: 'trace-cmd', anchor: 'bracket' } : undefined;
  }
  if (bracket < most && anchor === 'columns') return { format: 'bpftrace', anchor: 'columns' };
  if (bracket < most && anchor === 'timeless') return { format: 'perf', anchor: 'timeless' };
  const format = seen.perf > seen.plain ? 'perf' : isTraceCmd(seen) ? 'trace-cmd' : 'ftrace';
  if (bracket < most) return { format, anchor: anchor as Anchor };
  return { format, anchor: 'bracket', unit: seen.seconds >= seen.ticks ? 'ns' : 'ticks' };
}

function isTraceCmd(seen: Seen): boolean {
  return seen.tracer === undefined && (seen.traceCmd || seen.padded > 0);
}
