// ipistorm replay --costs: the recorded load at its recorded times on several machines.
import { UsageError, usage } from '../core/errors.js';
import { shownName } from '../input/path.js';
import { timedJson } from '../report/json.js';
import { replayTimedSheet } from '../report/replay-timed-text.js';
import type { CostSet } from '../timed/costs.js';
import type { TimedResult } from '../timed/engine.js';
import { RecordedLoad } from '../timed/recorded.js';
import { checkScenario, type Scenario } from '../timed/scenario.js';
import { TraceLoad } from '../trace/load.js';
import { parseNumber, parseSeed } from './numbers.js';
import type { Parsed } from './options.js';
import { runTimed } from './run.js';
import { type Terminal, watchInterrupt } from './terminal.js';
import { loadCosts } from './timed-input.js';
import { nothingRead, readTrace, traceInput } from './trace-input.js';

async function readLoad(
  path: string,
  args: Parsed,
  terminal: Terminal,
): Promise<{ load: TraceLoad; cpus: number } | undefined> {
  try {
    const read = await readTrace(path, traceInput(args), terminal, watchInterrupt());
    if (!read?.whole) return undefined;
    const { trace } = read;
    if (trace.clock !== 'ns') {
      throw usage(
        'trace',
        `${shownName(path)}: ${trace.describe()}`,
        'with --costs a trace whose times are seconds',
        'record it with trace_clock local, global or mono',
      );
    }
    return { load: new TraceLoad(trace), cpus: trace.cpus };
  } finally {
    terminal.clearProgress();
  }
}

/** Every CPU is busy with user work between what it recorded. */
function scenarioOf(name: string, load: TraceLoad, cpus: number): Scenario {
  return checkScenario({
    name: 'trace',
    summary: name,
    machine: { cpus },
    duration_ns: load.durationNs + 1e9,
    workloads: [{ cpus: 'all', do: 'recorded', idle: 'busy' }],
    csd: { timeout_ms: 0 },
  });
}

export async function runReplayTimed(
  path: string,
  args: Parsed,
  terminal: Terminal,
): Promise<number> {
  parseNumber('--top', args.text('top') ?? '8', 1, 10_000);
  for (const option of ['apic-ids', 'topology']) {
    if (args.text(option) !== undefined) {
      throw usage(
        `--${option}`,
        args.text(option),
        'no machine with --costs',
        'cost sets name theirs',
      );
    }
  }
  const sets = args
    .text('costs')!
    .split(',')
    .map((name) => loadCosts(name.trim()));
  const read = await readLoad(path, args, terminal);
  if (!read) return nothingRead(args, terminal);
  const { load, cpus } = read;
  if (load.operations.length === 0) {
    throw usage('trace', path, 'one with IPIs to other CPUs', 'a CPU does not call itself by IPI');
  }
  const { results, leftOut } = await runAll(path, read, sets, args, terminal);
  if (args.flag('json')) {
    await terminal.json({
      trace: shownName(path),
      sends: load.operations.length,
      results: results.map(timedJson),
      left_out: leftOut,
    });
  } else terminal.show(replayTimedSheet(shownName(path), load, cpus, results, leftOut));
  if (watchInterrupt().hit) terminal.note('interrupted: the last row is of its beginning');
  return watchInterrupt().code || (results.length === 0 ? 2 : 0);
}

/** One cost set after the other, until a signal. */
async function runAll(
  path: string,
  { load, cpus }: { load: TraceLoad; cpus: number },
  sets: readonly CostSet[],
  args: Parsed,
  terminal: Terminal,
): Promise<{ results: TimedResult[]; leftOut: string[] }> {
  const recorded = new RecordedLoad(load.operations);
  const seed = parseSeed('--seed', args.text('seed') ?? '1');
  const scenario = scenarioOf(shownName(path).slice(-200), load, cpus);
  const results: TimedResult[] = [];
  const leftOut: string[] = [];
  for (const costs of sets) {
    try {
      const { result } = await runTimed(scenario, costs, { recorded, seed }, terminal);
      results.push(result);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      leftOut.push(`${costs.name}: ${error.message}`);
    }
    if (watchInterrupt().hit) break;
  }
  return { results, leftOut };
}
