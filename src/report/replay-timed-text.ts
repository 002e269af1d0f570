// A recorded load under several cost sets, side by side.
import type { TimedResult } from '../timed/engine.js';
import type { Latency } from '../timed/names.js';
import type { TraceLoad } from '../trace/load.js';
import { Sheet } from './sheet.js';
import { count } from './units.js';

const COLUMNS: readonly [Latency, 'p50_ns' | 'p99_ns' | 'p999_ns', string][] = [
  ['send', 'p50_ns', 'send p50'],
  ['delivery', 'p50_ns', 'delivery p50'],
  ['delivery', 'p99_ns', 'p99'],
  ['delivery', 'p999_ns', 'p99.9'],
  ['csd_wait', 'p50_ns', 'csd wait p50'],
  ['csd_wait', 'p99_ns', 'p99'],
  ['csd_wait', 'p999_ns', 'p99.9'],
  ['call', 'p999_ns', 'call p99.9'],
];

export function replayTimedSheet(
  path: string,
  load: TraceLoad,
  cpus: number,
  results: readonly TimedResult[],
  leftOut: readonly string[],
): Sheet {
  const sheet = new Sheet();
  sheet.title(
    `${path.split('/').at(-1)}: ${cpus} CPUs, ${count(load.operations.length)} sends in ${(load.durationNs / 1e9).toFixed(3)} s, ${count(load.waiting)} of them wait; times in ns`,
  );
  const rows = results.map((result) => {
    const busy = result.perCpu.reduce(
      (sum, { time_ns }) => sum + time_ns.send + time_ns.wait + time_ns.irq,
      0,
    );
    const { measured, derived, guess } = result.inputs;
    return [
      result.costs,
      result.driver,
      ...COLUMNS.map(([name, key]) => result.latencies[name].summary()[key].toFixed(0)),
      `${(busy / 1e6).toFixed(2)} ms`,
      `${measured}/${derived}/${guess}`,
    ];
  });
  sheet.table(
    [
      'costs',
      'driver',
      ...COLUMNS.map(([, , title]) => title),
      'CPU time',
      'measured/derived/guess',
    ],
    rows,
    2,
  );
  for (const text of leftOut) sheet.line(`not run: ${text}`, 'aside');
  sheet.line('Every IPI of the trace is sent at its time; CPUs do user work in between.', 'aside');
  return sheet;
}
