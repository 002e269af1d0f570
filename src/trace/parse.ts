// Lines of the three text formats. Linux kernel/trace/trace_output.c trace_print_context(),
// trace-cmd report, tools/perf/builtin-script.c.
import { parseByteArrayMask, parseCpuList, parseHexMask } from './cpumask.js';

export type TraceFormat = 'ftrace' | 'trace-cmd' | 'perf';
export type LineKind = 'event' | 'comment' | 'damaged' | 'lost';

export interface TraceEvent {
  /** Without its system and colon. */
  name: string;
  cpu: number;
  /** Integer nanoseconds. */
  timeNs: number;
  comm: string;
  pid: number;
  /** Fields, after the event name. */
  text: string;
}

export interface IpiSend {
  kind: 'cpu' | 'mask';
  cpus: number[];
  callsite: string;
  /** Symbol without offset and size; '' for none. */
  callback: string;
}

export const SEND_EVENTS: ReadonlySet<string> = new Set(['ipi_send_cpu', 'ipi_send_cpumask']);
export const HANDLER_ENTRY_EVENTS: ReadonlySet<string> = new Set([
  'reschedule_entry',
  'call_function_entry',
  'call_function_single_entry',
  'irq_work_entry',
]);

const LINE_MAX = 1 << 20;
// comm and pid, optional (tgid), [cpu], optional flags of any width, seconds.fraction, event.
const FTRACE =
  /^\s*(.*?)-(\d+)\s+(?:\(\s*[-\d]+\)\s+)?\[(\d+)\]\s+(?:(?!\d+\.\d{6,9}:)[^\s:]+\s+)?(\d+)\.(\d{6,9}):\s+([\w:.-]+?):(?:\s+(.*))?$/;
// comm, pid[/tid], [cpu], seconds.fraction, optional period, sys:event.
const PERF =
  /^\s*(?:(.*?)\s+(-?\d+)(?:\/(-?\d+))?\s+)?\[(\d+)\]\s+(?:(?!\d+\.\d{6,9}:)[^\s:]+\s+)?(\d+)\.(\d{6,9}):\s+(?:\d+\s+)?([\w-]+):([\w.-]+):(?:\s+(.*))?$/;
// Latency format: comm-pid, cpu and flags in one word, microseconds.
const LATENCY = /^\s*(.*?)-(\d+)\s+(\d+)\S*\s+(\d+)us[!+#*@$ ]*:\s+([\w.-]+):(?:\s+(.*))?$/;
const LOST =
  /^CPU:\s*\d+ \[(?:LOST (\d+) EVENTS|(\d+) EVENTS DROPPED|LOST EVENTS|EVENTS DROPPED)\]/;
const COMMENT = /^(?:#|cpus=\d+\s*$|version = |\s*$|CPU \d+ is empty)/;

function nanoseconds(seconds: string, fraction: string): number {
  return Number(seconds) * 1e9 + Number(fraction.padEnd(9, '0'));
}

/** Parses line by line into one reused event. */
export class TraceParser {
  readonly format: TraceFormat;
  readonly event: TraceEvent = { name: '', cpu: 0, timeNs: 0, comm: '', pid: 0, text: '' };
  lostEvents = 0;
  /** Why the last damaged line is damaged. */
  reason = '';

  constructor(format: TraceFormat) {
    this.format = format;
  }

  parse(line: string): LineKind {
    if (line.length > LINE_MAX) return this.#damaged('longer than 1 MiB');
    if (COMMENT.test(line)) return 'comment';
    const text = line.charCodeAt(line.length - 1) === 13 ? line.slice(0, -1) : line;
    if (this.format === 'perf' ? this.#perf(text) : this.#ftrace(text)) return 'event';
    const lost = LOST.exec(text.trimStart());
    if (!lost)
      return this.#damaged(`not a line of ${this.format}: ${printable(text.trim().slice(0, 60))}`);
    this.lostEvents += Number(lost[1] ?? lost[2] ?? 1);
    return 'lost';
  }

  #damaged(reason: string): LineKind {
    this.reason = reason;
    return 'damaged';
  }

  #ftrace(line: string): boolean {
    const m = FTRACE.exec(line);
    if (!m) return this.#latency(line);
    this.#fill(m[1]!, m[2]!, m[3]!, nanoseconds(m[4]!, m[5]!), m[6]!, m[7]);
    return this.event.cpu < 65536;
  }

  #latency(line: string): boolean {
    const m = LATENCY.exec(line);
    if (!m) return false;
    this.#fill(m[1]!, m[2]!, m[3]!, Number(m[4]) * 1000, m[5]!, m[6]);
    return this.event.cpu < 65536;
  }

  #perf(line: string): boolean {
    const m = PERF.exec(line);
    if (!m) return false;
    this.#fill(m[1] ?? '', m[3] ?? m[2] ?? '0', m[4]!, nanoseconds(m[5]!, m[6]!), m[8]!, m[9]);
    return this.event.cpu < 65536;
  }

  #fill(comm: string, pid: string, cpu: string, timeNs: number, name: string, text = ''): void {
    const { event } = this;
    event.comm = comm;
    event.pid = Number(pid);
    event.cpu = Number(cpu);
    event.timeNs = timeNs;
    event.name = name;
    event.text = text;
  }
}

/** The format of a trace from its first lines, or undefined. */
export function detectFormat(firstLines: readonly string[]): TraceFormat | undefined {
  for (const line of firstLines) {
    if (line.startsWith('# tracer:')) return 'ftrace';
    if (/^cpus=\d+\r?$/.test(line)) return 'trace-cmd';
    if (COMMENT.test(line)) continue;
    if (PERF.test(line.replace(/\r$/, ''))) return 'perf';
    // trace-cmd pads "event:" to 22 columns; the kernel's own file prints the size of a symbol.
    if (FTRACE.test(line))
      return /\+0x[0-9a-f]+(?![0-9a-f/])/.test(line) ||
        /:\s{2,}\S/.test(line.slice(line.indexOf(']') + 20))
        ? 'trace-cmd'
        : 'ftrace';
    if (LATENCY.test(line)) return 'ftrace';
  }
  return undefined;
}

/** CPU count in a header line: "#P:20" or "cpus=4". */
export function parseHeaderCpus(line: string): number | undefined {
  const match = /#P:(\d{1,5})\s*$|^cpus=(\d{1,5})\s*$/.exec(line);
  const cpus = Number(match?.[1] ?? match?.[2]);
  return match && cpus <= 65536 ? cpus : undefined;
}

/** Text of a stranger's file, safe to print on a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

function symbol(text: string): string {
  if (/^(?:0x0+|\(nil\)|NULL|\(null\)|0+)$/.test(text)) return '';
  const plus = text.indexOf('+0x');
  return printable(plus < 0 ? text : text.slice(0, plus));
}

function parseMask(text: string, format: TraceFormat): number[] {
  if (text.startsWith('ARRAY[')) return parseByteArrayMask(text);
  if (format !== 'ftrace' && !/[a-f]/i.test(text) && !/^\d{8}(,|$)/.test(text))
    return parseCpuList(text);
  return text.includes('-') ? parseCpuList(text) : parseHexMask(text);
}

/**
 * Fields of ipi_send_cpu and ipi_send_cpumask, or undefined when they are damaged.
 * Linux 6.12 include/trace/events/ipi.h.
 */
export function parseSend(event: TraceEvent, format: TraceFormat): IpiSend | undefined {
  const single = event.name === 'ipi_send_cpu';
  const match = single
    ? /\bcpu=(\d{1,5}) callsite=(\S+) callback=(\S+)/.exec(event.text)
    : /\bcpumask=(ARRAY\[[^\]]*\]|\S*) callsite=(\S+) callback=(\S+)/.exec(event.text);
  if (!match) return undefined;
  const rest = { callsite: symbol(match[2]!), callback: symbol(match[3]!) };
  if (single) {
    const cpu = Number(match[1]);
    return cpu < 65536 ? { kind: 'cpu', cpus: [cpu], ...rest } : undefined;
  }
  try {
    return { kind: 'mask', cpus: parseMask(match[1]!, format), ...rest };
  } catch {
    return undefined;
  }
}

/** Vector of an irq_vectors:*_entry event ("vector=252"), or undefined. */
export function parseHandlerEntry(event: TraceEvent): number | undefined {
  const match = /^vector=(\d{1,3})\s*$/.exec(event.text);
  const vector = Number(match?.[1]);
  return match && vector < 256 ? vector : undefined;
}

/** Function of csd_queue_cpu and csd_function_entry. Linux 6.12 include/trace/events/csd.h. */
export function parseCsd(event: TraceEvent): { cpu?: number; func: string } | undefined {
  const match = /^(?:cpu=(\d+) )?.*?func=([^\s,]+)/.exec(event.text);
  if (!match) return undefined;
  return match[1] === undefined ? { func: match[2]! } : { cpu: Number(match[1]), func: match[2]! };
}
