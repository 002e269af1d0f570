// A trace as read: what it holds, how large the machine was, what is missing. Filled by reader.ts.
import type { Anchor, Dialect } from './dialect.js';
import { isSend, TraceEvents } from './events.js';
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
  /** Events that a second buffer recorded too: counted once; and how many of them are sends. */
  copies = 0;
  copiedSends = 0;
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
