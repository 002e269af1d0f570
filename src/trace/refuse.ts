// Why a file can't be replayed: what was found in it, and what to do.
import { UsageError } from '../core/errors.js';
import { printable } from './fields.js';
import type { Trace } from './trace.js';

const RECORD =
  'trace-cmd record -e ipi -e csd -e irq_vectors sleep 5; trace-cmd report > trace.txt';
const ALLOWED =
  'a trace with ipi:ipi_send_cpu and ipi:ipi_send_cpumask events (Linux 6.4 or later)';

/** As core/errors.ts words it, but with the whole of what was found. */
function refused(name: string, got: string, allowed: string, next: string): UsageError {
  return new UsageError(`trace: got ${printable(name)}: ${got}, allowed ${allowed}; ${next}`);
}

/** Found where the sends should be, with what to do about it. */
const INSTEAD: readonly [RegExp, string][] = [
  [
    /^ipi_raise$/,
    'ipi_raise has no callsite and no x86 kernel emits it: record ipi:ipi_send_cpu and ipi:ipi_send_cpumask on Linux 6.4 or later',
  ],
  [
    /^kvm_|^hyperv_/,
    "the hypervisor's events name vCPUs, not the kernel paths that sent: record ipi_send_cpu and ipi_send_cpumask inside the guest",
  ],
];

/** A trace that is read, but has no send. */
export function refuse(name: string, trace: Trace): UsageError {
  const found = trace.events.counts.size === 0 ? 'no event' : trace.found(6);
  const names = [...trace.events.counts.keys()];
  const instead = INSTEAD.find(([pattern]) => names.some((event) => pattern.test(event)));
  const damaged = trace.damaged[0];
  const next = trace.withoutCpu
    ? 'its lines do not say which CPU sent: set the options context-info and funcgraph-cpu, and record again'
    : trace.guestEvents > 0
      ? 'it holds events of virtual machines only: perf script without machine_pid and vcpu, of a recording inside the guest'
      : trace.dialect.format === 'wprof' && trace.untargeted === 0
        ? 'record with wprof -e ipi -J'
        : trace.untargeted > 0
          ? 'its multicast sends name no receivers: record with trace-cmd or perf'
          : damaged
            ? `line ${damaged.line}: ${damaged.reason}`
            : (instead?.[1] ?? `record the sends: ${RECORD}`);
  return refused(
    name,
    `${trace.describe()}, without a readable ipi_send event; it holds ${found}`,
    ALLOWED,
    next,
  );
}

/** perf script text without the sender's CPU. */
export function withoutCpuColumn(name: string, event: string): UsageError {
  return refused(
    name,
    `perf script text whose ${printable(event)} events have no [CPU] column`,
    'one that says which CPU sent',
    'record every CPU (perf record -a -e ipi:*) or with --sample-cpu, then perf script -F comm,tid,cpu,time,event,trace',
  );
}

interface Kind {
  what: string;
  test(text: string, lines: readonly string[]): boolean;
  next: string;
}

const PERF_TRACE =
  /^\s{0,20}\d{1,12}\.\d{3} (?:\([^)]{0,40}\): )?(?:\S{1,40} )?(?:ipi|irq_vectors|csd):\w{1,60}[(:]/;

/** Texts that people bring and that are no trace. The first that fits is named. */
const KINDS: readonly Kind[] = [
  {
    what: 'JSON of another tool (a Chrome or Perfetto trace?)',
    test: (text) => /^\s*(?:\{|\[\s*[{["\]])/.test(text.slice(0, 200)),
    next: 'wprof -J is the JSON that is read; export the kernel events as text instead: trace-cmd report, perf script',
  },
  {
    what: 'softirq counters (/proc/softirqs)',
    test: (_, lines) => lines.slice(0, 20).some((l) => /^\s{0,10}NET_RX:\s/.test(l.slice(0, 40))),
    next: `counters hold no single sends: ${RECORD}`,
  },
  {
    what: 'interrupt counters (/proc/interrupts)',
    test: (_, lines) =>
      lines.slice(0, 5).some((l) => /^\s{2,40}CPU\d{1,5}(?: {1,12}CPU\d{1,5}){0,20}/.test(l)),
    next: `counters hold no single sends: ${RECORD}`,
  },
  {
    what: 'perf trace output, which has no CPU column',
    test: (_, lines) => lines.some((l) => PERF_TRACE.test(l.slice(0, 200))),
    next: 'perf record -a -e ipi:*,csd:*,irq_vectors:* sleep 5; perf script > trace.txt',
  },
  {
    what: 'a kernel log (dmesg)',
    test: (_, lines) =>
      lines.filter((l) => /^(?:<\d{1,3}>)?\[ {0,8}\d{1,8}\.\d{6}\] /.test(l.slice(0, 40))).length *
        2 >
      lines.length,
    next: `a log holds no single sends: ${RECORD}`,
  },
  {
    what: 'the header of perf script without an event',
    test: (text) => /^# =====+\n# captured on/.test(text),
    next: 'perf script without --header-only; if that prints no event, record: perf record -a -e ipi:*',
  },
  {
    what: 'a report of perf stat, perf report or strace, or a summary',
    test: (text) =>
      /Performance counter stats|^# Overhead|^% time {4,}seconds/m.test(text.slice(0, 5000)),
    next: `a summary holds no single sends: ${RECORD}`,
  },
  {
    what: 'trace text without task, CPU and time (the option nocontext-info)',
    test: (_, lines) =>
      lines.some((l) => /^\s{0,10}(?:ipi:)?ipi_send_cpu(?:mask)?: /.test(l.slice(0, 60))),
    next: 'echo 1 > /sys/kernel/tracing/options/context-info, and record again: there is no CPU in it',
  },
];

/** A file that is no trace that is read. */
export function notATrace(name: string, lines: readonly string[]): UsageError {
  const some = lines.slice(0, 200);
  const first = some.find((line) => line.trim() !== '')?.trim();
  const text = some.join('\n').slice(0, 20_000);
  const kind = first === undefined ? undefined : KINDS.find(({ test }) => test(text, some));
  const got =
    first === undefined
      ? lines.length > 1
        ? 'blank lines'
        : 'an empty file'
      : (kind?.what ?? `"${printable(first.slice(0, 60))}"`);
  return refused(
    name,
    got,
    'text of /sys/kernel/tracing/trace, trace-cmd report or perf script, or JSON lines of wprof',
    kind?.next ?? 'is it such a trace? --format names it',
  );
}
