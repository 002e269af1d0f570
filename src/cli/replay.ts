// ipistorm replay: a recorded IPI trace through every Linux APIC driver.
import { statSync } from 'node:fs';
import { UsageError, usage } from '../core/errors.js';
import { detectFormat, type TraceFormat } from '../trace/parse.js';
import { openTrace } from '../trace/read.js';
import { Replay } from '../trace/replay.js';
import { Survey } from '../trace/survey.js';
import { MACHINE_OPTIONS, machineOptions, oneOf } from './machine-options.js';
import { parseNumber } from './numbers.js';
import type { CommandSpec, OptionSpec, Parsed } from './options.js';
import { runReplayTimed } from './replay-timed.js';
import { count, type Terminal, watchInterrupt } from './terminal.js';

const { era: _e, driver: _d, mode: _m, cpus: _c, ...MACHINE } = MACHINE_OPTIONS;
const FORMATS: Record<TraceFormat, 0> = { ftrace: 0, 'trace-cmd': 0, perf: 0 };

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

export interface Replayed {
  survey: Survey;
  replay: Replay;
  interrupted: boolean;
}

export type Sink = { add(line: string): void };

/** Streams a file into `sink`, with progress; false when Ctrl-C ended it. */
export async function stream(
  path: string,
  sink: (first: readonly string[]) => Sink,
  terminal: Terminal,
  label: string,
  stopped: () => boolean,
): Promise<boolean> {
  const source = openTrace(path);
  let target: Sink | undefined;
  for await (const lines of source.lines) {
    target ??= sink(lines);
    for (const line of lines) target.add(line);
    if (source.bytesTotal > 0) terminal.progress(source.bytesRead() / source.bytesTotal, label);
    if (stopped()) return false;
  }
  if (!target) throw usage('trace', path, 'a file with at least one line');
  return true;
}

export function formatOf(
  path: string,
  forced: string | undefined,
  lines: readonly string[],
): TraceFormat {
  if (forced !== undefined) return oneOf('--format', forced, FORMATS);
  const found = detectFormat(lines.slice(0, 1000));
  if (!found) {
    throw usage(
      'trace',
      lines.find((l) => l.trim() !== '')?.slice(0, 60) ?? '',
      'text of /sys/kernel/tracing/trace, trace-cmd report or perf script',
      `is ${path} such a trace? --format names it`,
    );
  }
  return found;
}

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
  else printReplay(path, replayed, top, terminal);
  return replayed.interrupted ? 130 : 0;
}

function spanSeconds(survey: Survey): number {
  return survey.lastNs >= survey.firstNs ? Math.round(survey.lastNs - survey.firstNs) / 1e9 : 0;
}

function replayJson({ survey, replay, interrupted }: Replayed, top: number): object {
  return {
    trace: {
      format: survey.format,
      cpus: replay.cpus,
      span_s: spanSeconds(survey),
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

export function printReplay(
  path: string,
  { survey, replay, interrupted }: Replayed,
  top: number,
  terminal: Terminal,
): void {
  const name = path.split('/').at(-1);
  terminal.title(
    `${name}: ${survey.format}, ${replay.cpus} CPUs, ${spanSeconds(survey).toFixed(3)} s, ${count(replay.sends)} sends`,
  );
  if (interrupted)
    terminal.print(terminal.style('yellow', 'interrupted: the figures are of what was read'));
  const unknown =
    survey.unknownEvents > 0 ? `, ${count(survey.unknownEvents)} other events skipped` : '';
  const lost = survey.lostEvents > 0 ? `, ${count(survey.lostEvents)} lost by the recorder` : '';
  terminal.print(`damaged lines: ${survey.damagedCount}${unknown}${lost}`);
  for (const { line, reason } of survey.damaged)
    terminal.print(terminal.style('yellow', `  line ${line}: ${reason}`));
  const results = replay.results();
  terminal.table(
    [
      'era',
      'driver',
      'ICR writes',
      'fences',
      'irq saves',
      'mask copies',
      'mask words',
      'hypercalls',
      'IPIs',
      'delivered',
      'coalesced',
      'pending',
    ],
    results.map((r) => [
      r.era,
      r.driver,
      ...[
        r.icr_writes,
        r.fences,
        r.irq_saves,
        r.mask_copies,
        r.mask_words,
        r.hypercalls,
        r.ipis,
        r.delivered,
        r.coalesced,
        r.pending,
      ].map(count),
    ]),
    2,
  );
  for (const { driver, reason } of replay.leftOut)
    terminal.print(terminal.style('dim', `not run: ${driver}: ${reason}`));
  printLists(survey, top, terminal);
  printMatrix(replay, terminal);
  printUnexplained(replay, terminal);
}

function printLists(survey: Survey, top: number, terminal: Terminal): void {
  for (const [title, tally] of [
    ['callbacks', survey.callbacks],
    ['callsites', survey.callsites],
    ['functions queued (csd_queue_cpu)', survey.functions],
  ] as const) {
    const list = tally.top(top);
    if (list.length > 0)
      terminal.print(`top ${title}: ${list.map((t) => `${t.name} ${count(t.count)}`).join(', ')}`);
  }
}

function printMatrix(replay: Replay, terminal: Terminal): void {
  const label = (i: number) =>
    replay.cell === 1
      ? `${i}`
      : `${i * replay.cell}-${Math.min(replay.cpus, (i + 1) * replay.cell) - 1}`;
  terminal.print('IPIs, source (row) to target (column):');
  terminal.table(
    ['CPU', ...replay.matrix.map((_, i) => label(i))],
    replay.matrix.map((row, i) => [label(i), ...row.map(count)]),
  );
}

function printUnexplained(replay: Replay, terminal: Terminal): void {
  const list = replay.unexplained();
  const coalesced = replay.results()[0]?.coalesced ?? 0;
  if (replay.watched && replay.unwatched > 0 && coalesced > 0) {
    terminal.print(
      `${count(replay.unwatched)} IPIs were sent before the first handler entry in the trace: nobody is seen to take them, so later ones merge into them`,
    );
  }
  if (list.length === 0) terminal.print('every IPI handler entry has its send in the trace');
  for (const u of list)
    terminal.print(
      `${count(u.count)} handler entries of vector 0x${u.vector.toString(16)} without a send: ${u.reason}`,
    );
}
