// ipistorm replay: a recorded IPI trace through every Linux APIC driver.
import { statSync } from 'node:fs';
import { UsageError, usage } from '../core/errors.js';
import { type Replayed, replaySheet } from '../report/replay-text.js';
import { Replay } from '../trace/replay.js';
import { Survey } from '../trace/survey.js';
import { MACHINE_OPTIONS, machineOptions } from './machine-options.js';
import { parseNumber } from './numbers.js';
import type { CommandSpec, OptionSpec, Parsed } from './options.js';
import { runReplayTimed } from './replay-timed.js';
import { type Terminal, watchInterrupt } from './terminal.js';
import { formatOf, stream } from './trace-input.js';

const { era: _e, driver: _d, mode: _m, cpus: _c, ...MACHINE } = MACHINE_OPTIONS;

export const REPLAY: CommandSpec = {
  summary:
    'Replays the IPIs of a trace through every Linux APIC driver; with --costs on machines with a clock.\nReads the ipi:ipi_send_* events of /sys/kernel/tracing/trace, `trace-cmd report` and `perf script` text,\nplain or gzipped.',
  positional: 'FILE',
  options: {
    format: { value: 'NAME', help: 'ftrace | trace-cmd | perf (default: detected)' },
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

export async function replayFile(
  path: string,
  args: Parsed | undefined,
  terminal: Terminal,
): Promise<Replayed> {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile())
    throw usage('trace', path, 'a readable file');
  const interrupt = watchInterrupt();
  let survey: Survey | undefined;
  try {
    const first = await stream(
      path,
      (lines) => {
        survey = new Survey(formatOf(path, args?.text('format'), lines));
        return survey;
      },
      terminal,
      'reading',
      () => interrupt.hit,
    );
    const replay = new Replay(survey!, args ? machineOptions(args) : {});
    const whole =
      first &&
      (await stream(
        path,
        () => replay,
        terminal,
        'replaying',
        () => interrupt.hit,
      ));
    return { survey: survey!, replay, interrupted: !whole };
  } finally {
    terminal.clearProgress();
    interrupt.done();
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
  if (args.flag('json')) terminal.print(JSON.stringify(replayJson(replayed, top), null, 2));
  else terminal.show(replaySheet(path, replayed, top));
  return replayed.interrupted ? 130 : 0;
}

function replayJson({ survey, replay, interrupted }: Replayed, top: number): object {
  return {
    trace: {
      format: survey.format,
      cpus: replay.cpus,
      span_s: survey.spanSeconds,
      events: Object.fromEntries(survey.events.counts),
      skipped_lines: survey.damagedCount,
      unknown_events: survey.unknownEvents,
      lost_events: survey.lostEvents,
      damaged: survey.damaged,
      interrupted,
    },
    drivers: replay.results(),
    left_out: replay.leftOut,
    callbacks: survey.callbacks.top(top),
    callsites: survey.callsites.top(top),
    csd_functions: survey.functions.top(top),
    matrix: { cpus_per_cell: replay.cell, rows_source_columns_target: replay.matrix },
    ipis_before_first_entry: replay.unwatched,
    unexplained_entries: replay.unexplained(),
  };
}
