// ipistorm replay: a recorded IPI trace through every Linux APIC driver.
import { UsageError } from '../core/errors.js';
import { shownName } from '../input/path.js';
import { outOfOrder, type Replayed, replaySheet } from '../report/replay-text.js';
import { Replay } from '../trace/replay.js';
import type { Trace } from '../trace/trace.js';
import { MACHINE_OPTIONS, machineOptions } from './machine-options.js';
import { parseNumber } from './numbers.js';
import type { CommandSpec, OptionSpec, Parsed } from './options.js';
import { runReplayTimed } from './replay-timed.js';
import { type Terminal, watchInterrupt } from './terminal.js';
import { nothingRead, readTrace, slices, traceInput } from './trace-input.js';

const { era: _e, driver: _d, mode: _m, cpus: _c, ...MACHINE } = MACHINE_OPTIONS;

export const REPLAY: CommandSpec = {
  summary:
    'Replays the IPIs of a trace through every Linux APIC driver; with --costs on machines with a clock.\nReads the ipi:ipi_send_* events of /sys/kernel/tracing/trace, `trace-cmd report` and `perf script` text and\nof wprof JSON lines, plain or compressed; - is standard input. docs/traces.md has every form.',
  positional: 'FILE',
  options: {
    format: {
      value: 'NAME',
      help: 'ftrace | trace-cmd | perf | wprof | bpftrace (default: detected)',
    },
    convert: {
      help: 'reads trace.dat and perf.data through trace-cmd and perf, .zst and .xz unpacked',
    },
    ...(MACHINE as Record<string, OptionSpec>),
    costs: {
      value: 'A,B,...',
      help: 'the load at its recorded times under these cost sets, side by side',
    },
    seed: { value: 'S', help: 'of the costs that vary (default 1)' },
    top: { value: 'N', help: 'callbacks and callsites to list (default 8)' },
    json: { help: 'machine-readable output' },
  },
  examples: [
    'npx ipistorm replay trace.txt',
    'npx ipistorm replay trace.txt.gz --apic-ids 0-9,16-25 --json',
    'npx ipistorm replay trace.txt --costs intel-xeon-x2apic-cluster,kvm-x2apic-physical,kvm-avic',
    'perf record -e ipi:*,irq_vectors:* -a sleep 5 && perf script > t.txt && npx ipistorm replay t.txt',
  ],
};

/** None when a signal came before anything could be said of it. */
export async function replayFile(
  path: string,
  args: Parsed | undefined,
  terminal: Terminal,
): Promise<Replayed | undefined> {
  const interrupt = watchInterrupt();
  try {
    const read = await readTrace(path, traceInput(args), terminal, interrupt);
    if (!read) return undefined;
    const replay = new Replay(read.trace, args ? machineOptions(args) : {});
    const done = await slices(replay.run(), 'replaying', terminal, () => interrupt.hit);
    return { trace: read.trace, replay, interrupted: !(read.whole && done) };
  } finally {
    terminal.clearProgress();
  }
}

export async function runReplay(args: Parsed, terminal: Terminal): Promise<number> {
  const [path, ...more] = args.positionals;
  if (path === undefined || more.length > 0)
    throw new UsageError(
      'FILE: got none or several, allowed one trace; see npx ipistorm replay --help',
    );
  const top = parseNumber('--top', args.text('top') ?? '8', 1, 10_000);
  if (args.text('costs') !== undefined) return runReplayTimed(path, args, terminal);
  const replayed = await replayFile(path, args, terminal);
  if (!replayed) return nothingRead(args, terminal);
  if (args.flag('json')) await terminal.json(replayJson(replayed, top));
  else terminal.show(replaySheet(shownName(path), replayed, top));
  return watchInterrupt().code;
}

function replayJson({ trace, replay, interrupted }: Replayed, top: number): object {
  return {
    trace: traceJson(trace, replay, interrupted),
    drivers: replay.results(),
    left_out: replay.leftOut,
    callbacks: trace.callbacks.top(top),
    callsites: trace.callsites.top(top),
    csd_functions: trace.functions.top(top),
    kvm_ipis: [...trace.kvmIpis.values()].sort((a, b) => b.count - a.count),
    reschedules_that_woke: replay.wakeups,
    matrix: { cpus_per_cell: replay.cell, rows_source_columns_target: replay.matrix },
    ipis_before_first_entry: replay.unwatched,
    unexplained_entries: replay.unexplained(),
  };
}

function traceJson(trace: Trace, replay: Replay, interrupted: boolean): object {
  return {
    format: trace.dialect.format,
    dialect: trace.describe(),
    clock: trace.clock,
    cpus: replay.cpus,
    header_cpus: trace.headerCpus || null,
    span_s: trace.spanNs === undefined ? null : Math.round(trace.spanNs) / 1e9,
    events: Object.fromEntries(trace.events.counts),
    skipped_lines: trace.damagedCount,
    unknown_events: trace.unknownEvents,
    lost_events: trace.losses.total,
    lost_places_of_unknown_size: trace.losses.unknown,
    lost_per_cpu: trace.losses.perCpu(),
    events_out_of_order: outOfOrder(trace),
    sends_counted_once: trace.doubles,
    queued_calls_without_ipi: trace.queuedOnly,
    copies_in_other_buffers: trace.copies,
    guest_events: trace.guestEvents,
    recordings: [...trace.sources],
    entries_announced: trace.announced,
    sends_without_receivers: trace.untargeted,
    sends_outside_machine: replay.outside,
    damaged: trace.damaged,
    interrupted,
  };
}
