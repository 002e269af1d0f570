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
  /** Sends printed twice: counted once. */
  doubles = 0;
  /** Queued calls that Linux 6.3-6.4 prints as sends, though they needed no IPI of their own. */
  queuedOnly = 0;
  /** Events that a second buffer recorded too: counted once. */
  copies = 0;
  /** Sends that don't say which CPU sent: damaged. */
  withoutCpu = 0;
  /** Events of virtual machines in a perf recording of their host: not replayed. */
  guestEvents = 0;
  /** Entries that the headers announce, and lines that are entries. */
  announced = 0;
  anchored = 0;
  /** Recordings that are in the file, by their names or headers. */
  readonly sources = new Set<string>();
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

/** Sorts by time where the file isn't: its ascending runs are merged. At one time sends come first. */
export function sortByTime(trace: Trace): void {
  if (trace.unordered === 0) return;
  const { rows } = trace;
  let order = Uint32Array.from({ length: rows.length }, (_, row) => row);
  let other = new Uint32Array(rows.length);
  let ends = runs(trace);
  while (ends.length > 1) {
    const merged: number[] = [];
    for (let i = 0; i < ends.length; i += 2) {
      const [from, middle, to] = [ends[i - 1] ?? 0, ends[i]!, ends[i + 1] ?? ends[i]!];
      merge(rows, order, other, from, middle, to);
      merged.push(to);
    }
    [order, other, ends] = [other, order, merged];
  }
  trace.order = order;
}

/** Ends of the stretches in which time doesn't go back. Rows without a time belong to those before. */
function runs({ rows }: Trace): number[] {
  const ends: number[] = [];
  let latest = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < rows.length; row++) {
    const time = rows.time(row);
    if (time < latest) ends.push(row);
    if (!Number.isNaN(time)) latest = time;
  }
  ends.push(rows.length);
  return ends;
}

function merge(
  rows: TraceEvents,
  order: Uint32Array,
  out: Uint32Array,
  from: number,
  middle: number,
  to: number,
): void {
  let [left, right] = [from, middle];
  for (let at = from; at < to; at++) {
    const useRight = left === middle || (right < to && before(rows, order[right]!, order[left]!));
    out[at] = useRight ? order[right++]! : order[left++]!;
  }
}

/** Whether a row of a later run comes before one of an earlier run. */
function before(rows: TraceEvents, later: number, earlier: number): boolean {
  const [a, b] = [rows.time(later), rows.time(earlier)];
  return a < b || (a === b && isSend(rows.what(later)) && !isSend(rows.what(earlier)));
}

const GENERIC = 'generic_smp_call_function';
/** One send's two records are this close. */
const NEAR_NS = 100_000;
/** So many sends of a CPU back a queued call is looked for: interrupts send in between. */
const LOOK_BACK = 6;

/**
 * Which sends are records of a queued call rather than IPIs. Linux 6.4 __smp_call_single_queue() and
 * smp_call_function_many_cond() print the queued call with its function, and the IPI, if one is needed,
 * with generic_smp_call_function_single_interrupt().
 */
export function markDoubles(trace: Trace): void {
  const { rows } = trace;
  const pairs = new Pairs(trace);
  for (let at = 0; at < rows.length; at++) {
    const row = trace.row(at);
    if (isSend(rows.what(row))) pairs.add(row);
    else pairs.other(rows.cpu(row));
  }
  const { queued, paired, ipis } = pairs;
  if (paired === 0 || paired * 2 < ipis) return;
  for (const row of queued)
    rows.retype(row, rows.what(row) === ROW.sendCpu ? ROW.queuedCpu : ROW.queuedMask);
  trace.doubles += paired;
  trace.queuedOnly = queued.length - paired;
}

class Pairs {
  /** Records that look like queued calls. */
  readonly queued: number[] = [];
  /** IPIs of calls, and those with such a record before them. */
  ipis = 0;
  paired = 0;
  readonly #trace: Trace;
  /** Each CPU's last row, if it is a send. */
  readonly #last = new Map<number, number>();
  /** Each CPU's last queued calls without an IPI yet. */
  readonly #open = new Map<number, { row: number; sends: number }[]>();

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** Something else happened on the CPU. */
  other(cpu: number): void {
    this.#last.delete(cpu);
  }

  add(row: number): void {
    const { rows } = this.#trace;
    const cpu = rows.cpu(row);
    const before = this.#last.get(cpu);
    this.#last.set(cpu, row);
    const callback = rows.names.text(rows.b(row));
    const open = (this.#open.get(cpu) ?? []).filter((call) => call.sends++ < LOOK_BACK);
    this.#open.set(cpu, open);
    if (before !== undefined && this.#same(before, row)) {
      rows.retype(rows.what(row) === ROW.sendMask ? row : before, ROW.queuedMask);
      this.#trace.doubles++;
    } else if (callback.startsWith(GENERIC)) {
      this.ipis++;
      const at = open.findLastIndex((call) => this.#covers(call.row, row));
      if (at >= 0) this.paired++;
      if (at >= 0) open.splice(at, 1);
    } else if (callback !== '' && !(rows.what(row) === ROW.sendCpu && rows.a(row) === cpu)) {
      this.queued.push(row);
      open.push({ row, sends: 0 });
    }
  }

  /** ipi_send_cpu and ipi_send_cpumask of just that CPU, one after the other, for the same reason. */
  #same(a: number, b: number): boolean {
    const { rows } = this.#trace;
    const [cpu, mask] = rows.what(a) === ROW.sendCpu ? [a, b] : [b, a];
    return (
      rows.what(cpu) === ROW.sendCpu &&
      rows.what(mask) === ROW.sendMask &&
      rows.b(cpu) === rows.b(mask) &&
      rows.targetCount(mask) === 1 &&
      rows.targets(mask)[0] === rows.a(cpu) &&
      !(Math.abs(rows.time(a) - rows.time(b)) > NEAR_NS)
    );
  }

  #covers(queue: number, ipi: number): boolean {
    const { rows } = this.#trace;
    const queued = new Set(rows.targets(queue));
    return rows.targets(ipi).every((cpu) => queued.has(cpu));
  }
}
