// ipistorm replay --costs: the recorded load at its recorded times on several machines.
import { UsageError, usage } from '../core/errors.js';
import { timedJson } from '../report/json.js';
import { replayTimedSheet } from '../report/replay-timed-text.js';
import type { TimedResult } from '../timed/engine.js';
import { RecordedLoad } from '../timed/recorded.js';
import { checkScenario, type Scenario } from '../timed/scenario.js';
import { TraceLoad } from '../trace/load.js';
import { parseNumber, parseSeed } from './numbers.js';
import type { Parsed } from './options.js';
import { runTimed } from './run.js';
import { type Terminal, watchInterrupt } from './terminal.js';
import { loadCosts } from './timed-input.js';
import { readTrace, traceInput } from './trace-input.js';

async function readLoad(
  path: string,
  args: Parsed,
  terminal: Terminal,
): Promise<{ load: TraceLoad; cpus: number } | undefined> {
  const interrupt = watchInterrupt();
  const stopped = () => interrupt.hit;
  try {
    const { trace, whole } = await readTrace(path, traceInput(args), terminal, stopped);
    if (!whole) return undefined;
    if (trace.clock !== 'ns') {
      throw usage(
        'trace',
        `${path}: ${trace.describe()}`,
        'with --costs a trace whose times are seconds',
        'record it with trace_clock local, global or mono',
      );
    }
    return { load: new TraceLoad(trace), cpus: trace.cpus };
  } finally {
    terminal.clearProgress();
    interrupt.done();
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
  if (!read) return 130;
  const { load, cpus } = read;
  if (load.operations.length === 0) {
    throw usage('trace', path, 'one with ipi:ipi_send_cpu or ipi:ipi_send_cpumask events');
  }
  const recorded = new RecordedLoad(load.operations);
  const results: TimedResult[] = [];
  const leftOut: string[] = [];
  for (const costs of sets) {
    try {
      const options = { recorded, seed: parseSeed('--seed', args.text('seed') ?? '1') };
      const what = scenarioOf(path.slice(-200), load, cpus);
      const { result, interrupted } = await runTimed(what, costs, options, terminal);
      results.push(result);
      if (interrupted) return 130;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      leftOut.push(`${costs.name}: ${error.message}`);
    }
  }
  if (args.flag('json')) {
    const json = {
      trace: path,
      sends: load.operations.length,
      results: results.map(timedJson),
      left_out: leftOut,
    };
    terminal.print(JSON.stringify(json, null, 2));
  } else terminal.show(replayTimedSheet(path, load, cpus, results, leftOut));
  return results.length === 0 ? 2 : 0;
}
