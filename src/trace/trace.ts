// A trace as read: what it holds, how large the machine was, what is missing. Filled by reader.ts.
import type { Anchor, Dialect } from './dialect.js';
import { isSend, ROW, TraceEvents } from './events.js';
import { Losses } from './losses.js';
import { Tally } from './tally.js';

export interface DamagedLine {
  line: number;
  reason: string;
}

/** ns: times are nanoseconds. counter, ticks: an order, no durations. none: no times at all. */
export type Clock = 'ns' | 'counter' | 'ticks' | 'none';

/** IPIs that a hypervisor sent for its guests: kvm_apic_ipi. */
export interface KvmIpi {
  vector: number;
  delivery: string;
  count: number;
}

export class Trace {
  readonly dialect: Dialect;
  readonly rows = new TraceEvents();
  readonly losses = new Losses();
  readonly events = new Tally();
  readonly callbacks = new Tally();
  readonly callsites = new Tally();
  readonly functions = new Tally();
  readonly kvmIpis = new Map<string, KvmIpi>();
  readonly damaged: DamagedLine[] = [];
  damagedCount = 0;
  unknownEvents = 0;
  lines = 0;
  headerCpus = 0;
  highestCpu = -1;
  clock: Clock = 'none';
  /** First and last time, from the base; NaN without times. */
  first = Number.NaN;
  last = Number.NaN;
  /** Events whose time is before the one above them. */
  unordered = 0;
  /** Rows by time; undefined when the file's order is the order. */
  order: Uint32Array | undefined;
  /** Sends whose receivers the trace doesn't name (wprof's multicasts). */
  untargeted = 0;
  /** Records of Linux 6.3-6.4 beside an IPI's own: counted once. */
  doubles = 0;
  /** What more the dialect has, for its description: "--ts-diff", "with call chains". */
  readonly traits = new Set<string>();
  /** Vectors with a handler entry; -1: arm's call functions. */
  readonly vectorsHandled = new Set<number>();

  constructor(dialect: Dialect) {
    this.dialect = dialect;
  }

  /** CPUs of the machine: the header's count, or more when events name higher ones. */
  get cpus(): number {
    return Math.max(1, this.headerCpus, this.highestCpu + 1);
  }

  /** From the first event to the last; undefined when the trace has no such time. */
  get spanNs(): number | undefined {
    return this.clock === 'ns' && this.last > this.first ? this.last - this.first : undefined;
  }

  /** Number of IPI sends. */
  get sends(): number {
    let sends = 0;
    for (let row = 0; row < this.rows.length; row++) if (isSend(this.rows.what(row))) sends++;
    return sends;
  }

  /** Row at place `at` in time. */
  row(at: number): number {
    return this.order ? this.order[at]! : at;
  }

  /** "trace-cmd report --ts-diff, 96 CPUs, clock counter". */
  describe(): string {
    const clocks: Record<Clock, string> = {
      ns: 'clock in ns',
      counter: 'clock counter',
      ticks: 'clock in ticks',
      none: 'no times',
    };
    const form = FORMS[this.dialect.anchor];
    const tool = [TOOLS[this.dialect.format], ...(form ? [form] : []), ...this.traits].join(' ');
    return `${tool}, ${this.cpus} ${this.cpus === 1 ? 'CPU' : 'CPUs'}, ${clocks[this.clock]}`;
  }

  /** What is in it beside the subject, in words: "sched_switch 2, ipi_raise 1". */
  found(most: number): string {
    const list = this.events.top(most).map(({ name, count }) => `${name} ${count}`);
    const more = this.events.counts.size - list.length;
    return list.join(', ') + (more > 0 ? ` and ${more} more` : '');
  }
}

/** Forms that differ from a tool's usual one. */
const FORMS: Partial<Record<Anchor, string>> = {
  graph: 'of function_graph',
  verbose: 'in the verbose latency format',
  timeless: 'without times',
};

const TOOLS = {
  ftrace: 'ftrace text',
  'trace-cmd': 'trace-cmd report',
  perf: 'perf script',
  wprof: 'wprof JSON',
  bpftrace: 'bpftrace or bcc lines',
} as const;

/** Sorts by time where the file isn't: at one time sends come first, then the file's order. */
export function sortByTime(trace: Trace): void {
  if (trace.unordered === 0) return;
  const { rows } = trace;
  const order = Uint32Array.from({ length: rows.length }, (_, row) => row);
  const rank = (row: number) => (isSend(rows.what(row)) ? 0 : 1);
  trace.order = order.sort((a, b) => rows.time(a) - rows.time(b) || rank(a) - rank(b) || a - b);
}

/** Which sends are records of a queued call rather than IPIs: Linux 6.3-6.4 prints both. */
export function markDoubles(trace: Trace): void {
  const { rows } = trace;
  const generic = (row: number) => rows.names.text(rows.b(row)).startsWith(GENERIC);
  const queueForm = (row: number) => rows.names.text(rows.b(row)) !== '' && !generic(row);
  const last = new Map<number, number>();
  let ipis = 0;
  const queued: number[] = [];
  let paired = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = trace.row(at);
    if (!isSend(rows.what(row))) continue;
    const cpu = rows.cpu(row);
    const before = last.get(cpu);
    last.set(cpu, row);
    if (before !== undefined && sameSend(trace, before, row)) {
      rows.retype(rows.what(row) === ROW.sendMask ? row : before, ROW.queuedMask);
      trace.doubles++;
    } else if (generic(row)) {
      ipis++;
      if (before !== undefined && queueForm(before) && covers(trace, before, row)) paired++;
    } else if (queueForm(row) && !(rows.what(row) === ROW.sendCpu && rows.a(row) === cpu)) {
      queued.push(row);
    }
  }
  if (paired === 0 || paired * 2 < ipis) return;
  for (const row of queued) {
    rows.retype(row, rows.what(row) === ROW.sendCpu ? ROW.queuedCpu : ROW.queuedMask);
  }
  trace.doubles += queued.length;
}

const GENERIC = 'generic_smp_call_function';

/** ipi_send_cpu and ipi_send_cpumask of just that CPU, one after the other, for the same reason. */
function sameSend({ rows }: Trace, a: number, b: number): boolean {
  const [cpu, mask] = rows.what(a) === ROW.sendCpu ? [a, b] : [b, a];
  return (
    rows.what(cpu) === ROW.sendCpu &&
    rows.what(mask) === ROW.sendMask &&
    rows.b(cpu) === rows.b(mask) &&
    rows.targetCount(mask) === 1 &&
    rows.targets(mask)[0] === rows.a(cpu)
  );
}

function covers({ rows }: Trace, queue: number, ipi: number): boolean {
  const queued = new Set(rows.targets(queue));
  return rows.targets(ipi).every((cpu) => queued.has(cpu));
}
