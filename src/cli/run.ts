// ipistorm run: a scenario on a machine with a clock.

import { deflateSync } from 'node:zlib';
import { checkName } from '../core/check.js';
import { usage } from '../core/errors.js';
import { hdrLog } from '../report/hdr.js';
import { timedJson } from '../report/json.js';
import {
  cdfRows,
  csvRows,
  interruptRows,
  ipiBenchmarkLine,
  log2Rows,
  matrixRows,
  osnoiseTable,
  simpleNumber,
} from '../report/tables.js';
import { timedSheet, whySheet } from '../report/text.js';
import { duration } from '../report/units.js';
import { type Explanation, Why } from '../report/why.js';
import type { CostSet } from '../timed/costs.js';
import { type TimedOptions, type TimedResult, TimedRun } from '../timed/engine.js';
import { costSet, SCENARIO_NAMES, scenario } from '../timed/library.js';
import { LATENCIES, type Latency } from '../timed/names.js';
import type { Scenario } from '../timed/scenario.js';
import type { CommandSpec, Parsed } from './options.js';
import { checkOutputs, type NamedFile, writeOutput } from './outputs.js';
import { Pace } from './pace.js';
import { breathe, type Terminal, watchInterrupt } from './terminal.js';
import {
  loadCosts,
  TIMED_OPTIONS,
  timedScenario,
  timedScheduler,
  timedSeed,
} from './timed-input.js';
import { traceFiles } from './trace-files.js';

/** Scenarios that belong together, with the names that their original gives them. */
const SUITES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'ipi-benchmark': [
    ['dry-run', 'Dry-run'],
    ['self', 'Self-IPI'],
    ['normal', 'Normal IPI'],
    ['broadcast', 'Broadcast IPI'],
    ['broadcast-lock', 'Broadcast lock'],
  ],
};

type Format = (result: TimedResult) => string | readonly string[];
const FORMATS: Readonly<Record<string, Format>> = {
  text: () => '',
  json: () => '',
  jsonl: () => '',
  csv: csvRows,
  cdf: cdfRows,
  log2: (result) =>
    (Object.keys(LATENCIES) as Latency[])
      .filter((name) => result.latencies[name].count > 0)
      .flatMap((name) => [`@${name}_ns:`, ...log2Rows(result.latencies[name]), '']),
  matrix: matrixRows,
  osnoise: osnoiseTable,
  interrupts: interruptRows,
  ipi_benchmark: (result) => ipiBenchmarkLine(result.scenario, result),
  simple: simpleNumber,
};

export const RUN: CommandSpec = {
  summary: `Runs a scenario on a machine with a clock: latencies, who was busy, who waited for whom.\n\nScenarios (or a file of your own; "npx ipistorm scenarios NAME" prints one):\n${SCENARIO_NAMES.map(
    (name) => `  ${name.padEnd(21)} ${scenario(name).summary}`,
  ).join(
    '\n',
  )}\n  ${'ipi-benchmark'.padEnd(21)} dry-run, self, normal, broadcast and broadcast-lock, in its layout`,
  positional: 'SCENARIO',
  options: {
    ...TIMED_OPTIONS,
    why: { help: 'the chain of events behind the slowest wait, or a stuck one' },
    format: { value: 'NAME', help: Object.keys(FORMATS).join(' | ') },
    json: { help: 'same as --format json' },
    perfetto: {
      value: 'FILE',
      output: true,
      help: 'write a trace for ui.perfetto.dev (protobuf): tracks and flow arrows',
    },
    chrome: { value: 'FILE', output: true, help: 'the same as Chrome trace event JSON' },
    ftrace: {
      value: 'FILE',
      output: true,
      help: 'the tracepoints as /sys/kernel/tracing/trace shows them',
    },
    window: { value: 'FROM-UNTIL', help: 'of these traces, such as 1ms-2ms (default all)' },
    hdr: { value: 'FILE', output: true, help: 'write the latencies as a HdrHistogram log' },
  },
  formats: ['json', 'format'],
  examples: [
    'npx ipistorm run tlb-shootdown --why',
    'npx ipistorm run dropped-icr --why',
    'npx ipistorm run scftorture --costs kvm-x2apic-physical --cpus 128',
    'npx ipistorm run membarrier-stampede --serialize',
    'npx ipistorm run isolated-noise --format osnoise',
    'npx ipistorm run broadcast --perfetto out.perfetto-trace --window 0ns-20us',
    'npx ipistorm run my-scenario.jsonc --costs my-machine.json --format jsonl',
  ],
};

export interface Ran {
  result: TimedResult;
  wallNs: number;
  interrupted: boolean;
}

interface Sliced<R> {
  slices(): Generator<number, R, number | undefined>;
}

/** Events of a run's first slice: on large machines some take a hundredth of a millisecond. */
export const FIRST_EVENTS = 4096;

/** Runs slice by slice with a progress line; false when Ctrl-C ended it. */
async function advance<R>(
  run: Sliced<R>,
  until: number,
  label: string,
  terminal: Terminal,
): Promise<{ whole: boolean; wallNs: number }> {
  const interrupt = watchInterrupt();
  const slices = run.slices();
  const pace = new Pace(FIRST_EVENTS);
  let wall = 0n;
  let whole = true;
  for (let events: number | undefined; ; ) {
    const start = process.hrtime.bigint();
    const step = slices.next(events);
    const took = process.hrtime.bigint() - start;
    wall += took;
    if (step.done) break;
    events = pace.after(Number(took) / 1e6);
    terminal.progress(step.value / until, `${label}  ${duration(step.value * 1000)} simulated`);
    await breathe();
    if (interrupt.hit) {
      whole = false;
      break;
    }
  }
  terminal.clearProgress();
  return { whole, wallNs: Number(wall) };
}

export async function runTimed(
  what: Scenario,
  costs: CostSet,
  options: TimedOptions,
  terminal: Terminal,
): Promise<Ran> {
  const run = new TimedRun(what, costs, { ...options, sliceEvents: FIRST_EVENTS });
  const { whole, wallNs } = await advance(run, what.duration_ns, what.name, terminal);
  return { result: run.result(), wallNs, interrupted: !whole };
}

export async function explain(
  what: Scenario,
  costs: CostSet,
  options: TimedOptions,
  result: TimedResult,
  terminal: Terminal,
): Promise<Explanation | undefined> {
  const stuck = result.stuck[0];
  const wait = stuck ?? result.slowest[0];
  if (!wait) return undefined;
  const sliced = { ...options, sliceEvents: FIRST_EVENTS };
  const why = new Why(what, costs, sliced, wait, stuck !== undefined);
  await advance(why, what.duration_ns, 'once more, with the log', terminal);
  return why.explanation;
}

export async function runRun(args: Parsed, terminal: Terminal): Promise<number> {
  const name = args.positionals[0]!;
  const suite = Object.hasOwn(SUITES, name) ? SUITES[name]! : undefined;
  if (suite) return runSuite(suite, args, terminal);
  const what = timedScenario(name, args);
  const costs = costsOf(what, args);
  const options = { seed: timedSeed(args), scheduler: timedScheduler(args) };
  const format = formatOf(args);
  const traces = traceFiles(args);
  const hdr = args.text('hdr');
  const hdrFile = hdr === undefined ? [] : [{ what: '--hdr', path: hdr }];
  checkOutputs([...(traces?.files ?? []), ...hdrFile], inputsOf(name, args));
  const listening = traces ? { ...options, ...traces.options } : options;
  const ran = await runTimed(what, costs, listening, terminal);
  const { result } = ran;
  const why =
    args.flag('why') && !ran.interrupted
      ? await explain(what, costs, options, result, terminal)
      : undefined;
  // Files first: the results say whether a signal cut them short. They are shown in any case.
  try {
    await traces?.write(result.cpus, terminal);
    for (const file of hdrFile)
      await writeOutput(file, [hdrLog(result.latencies, result.elapsedNs, deflateSync)], terminal);
  } finally {
    await printRun(ran, why, format, args.flag('why'), terminal);
  }
  return watchInterrupt().hit ? 130 : 0;
}

function inputsOf(name: string, args: Parsed): NamedFile[] {
  const costs = args.text('costs');
  const own = costs === undefined ? [] : [{ what: '--costs', path: costs }];
  return [{ what: 'SCENARIO', path: name }, ...own];
}

/** @throws UsageError for a format that has no place for --why */
function formatOf(args: Parsed): string {
  const asked = args.flag('json') ? 'json' : (args.text('format') ?? 'text');
  const format = checkName('--format', asked, FORMATS);
  if (args.flag('why') && !EXPLAINS.has(format))
    throw usage('--why', `--format ${format}`, `${[...EXPLAINS].join(', ')} with it`);
  return format;
}

/** Formats that can tell why. */
const EXPLAINS: ReadonlySet<string> = new Set(['text', 'json', 'jsonl']);

async function printRun(
  { result, wallNs }: Ran,
  why: Explanation | undefined,
  format: string,
  asked: boolean,
  terminal: Terminal,
): Promise<void> {
  const { hit } = watchInterrupt();
  if (hit) terminal.note('interrupted: the figures are of what was done');
  if (format === 'text') {
    terminal.show(timedSheet(result, wallNs));
    if (why) terminal.show(whySheet(why));
    else if (asked && !hit) terminal.print('nothing waited for a csd lock');
  } else if (format === 'json' || format === 'jsonl') {
    const json = why ? { ...timedJson(result), why } : timedJson(result);
    await terminal.json(json, format === 'json' ? 2 : 0);
  } else printLines(FORMATS[format]!(result), terminal);
}

function printLines(text: string | readonly string[], terminal: Terminal): void {
  terminal.print(typeof text === 'string' ? text : text.join('\n'));
}

export function costsOf(what: Scenario, args: Parsed): CostSet {
  const name = args.text('costs');
  if (name !== undefined) return loadCosts(name);
  if (what.costs === undefined) {
    throw usage('costs', 'none in the scenario', 'a cost set', 'name one with --costs');
  }
  return costSet(what.costs);
}

async function runSuite(
  suite: readonly (readonly [string, string])[],
  args: Parsed,
  terminal: Terminal,
): Promise<number> {
  for (const option of NOT_IN_SUITES) {
    if (args.flag(option) || args.text(option) !== undefined)
      throw usage(`--${option}`, args.text(option) ?? 'it', 'one scenario with it', 'name one');
  }
  const interrupt = watchInterrupt();
  // Read once: what comes through a pipe is there once.
  const own = args.text('costs');
  const costs = own === undefined ? undefined : loadCosts(own);
  for (const [name, label] of suite) {
    const what = timedScenario(name, args);
    const options = { seed: timedSeed(args), scheduler: timedScheduler(args) };
    const { result } = await runTimed(what, costs ?? costsOf(what, args), options, terminal);
    if (args.flag('json')) await terminal.json(timedJson(result), 0);
    else terminal.print(ipiBenchmarkLine(label, result));
    // Asked after it was printed: the last document says that it is the last.
    if (interrupt.hit) break;
  }
  if (interrupt.hit) terminal.note('interrupted: the figures are of what was done');
  return interrupt.hit ? 130 : 0;
}

/** A suite prints lines of its own, and no files. */
const NOT_IN_SUITES = ['why', 'format', 'perfetto', 'chrome', 'ftrace', 'window', 'hdr'];
