// Results laid out as the tools people know print them. All text, no colour; lines without their ends.
import type { TimedResult } from '../timed/engine.js';
import type { Histogram } from '../timed/histogram.js';
import { LATENCIES, type Latency } from '../timed/names.js';
import { perSecond } from './units.js';
import { vectorName } from './vectors.js';

const us = (ns: number) => (ns / 1000).toFixed(2);

/** ipi_benchmark's line: name, ns until the function begins and ns in all, summed over the loops. */
export function ipiBenchmarkLine(name: string, result: TimedResult): string {
  const sum = (hist: Histogram) => Math.round(hist.sumPs / 1000);
  // A broadcast reaches many: the original prints no delivery for it either.
  const single = result.counts.calls_many === 0 && result.counts.calls_single > 0;
  const delivery = single ? sum(result.latencies.queue_to_func) : 0;
  const label = `${name}:`.padEnd(18);
  return `${label}${String(delivery).padStart(17)},${String(sum(result.latencies.call)).padStart(21)} ns`;
}

/** rtla osnoise top's columns. */
export function osnoiseTable(result: TimedResult): string[] {
  const period = us(result.elapsedNs);
  const head = `CPU     Period       Runtime        Noise  % CPU Aval   Max Noise  Max Single          HW         NMI         IRQ  Worst source and callback`;
  const rows = result.perCpu.map(({ noise, time_ns }, cpu) => {
    const runtime = time_ns.user + noise.total_ns;
    const share = runtime === 0 ? 0 : (100 * time_ns.user) / runtime;
    const worst =
      noise.count === 0 ? '' : `CPU ${noise.source} ${noise.func ?? vectorName(noise.what)}`;
    const cells: [string | number, number][] = [
      [us(runtime), 14],
      [us(noise.total_ns), 13],
      [share.toFixed(5), 12],
      [us(noise.total_ns), 12],
      [us(noise.max_ns), 12],
      [0, 12],
      [0, 12],
      [noise.count, 12],
    ];
    const text = cells.map(([value, width]) => String(value).padStart(width)).join('');
    return `${String(cpu).padStart(3)} ${period.padStart(10)}${text}  ${worst}`.trimEnd();
  });
  return [head, ...rows];
}

/** RES, CAL, TLB and IWI of /proc/interrupts. linux-4.0 takes flushes out of CAL. */
export function interruptRows(result: TimedResult): string[] {
  const old = result.era !== 'linux-6.12';
  const rows: [string, (row: TimedResult['perCpu'][number]['interrupts']) => number, string][] = [
    ['IWI', (row) => row.IWI, 'IRQ work interrupts'],
    ['RES', (row) => row.RES, 'Rescheduling interrupts'],
    ['CAL', (row) => (old ? Math.max(0, row.CAL - row.TLB) : row.CAL), 'Function call interrupts'],
    ['TLB', (row) => row.TLB, 'TLB shootdowns'],
  ];
  const head = `${' '.repeat(11)}${result.perCpu.map((_, cpu) => `CPU${String(cpu).padEnd(8)}`).join('')}`;
  return [
    head.trimEnd(),
    ...rows.map(
      ([name, of, text]) =>
        `${name}: ${result.perCpu.map((cpu) => `${String(of(cpu.interrupts)).padStart(10)} `).join('')}  ${text}`,
    ),
  ];
}

/** A bpftrace-like histogram by powers of two, in ns. */
export function log2Rows(histogram: Histogram): string[] {
  const rows = histogram.log2();
  const most = Math.max(...rows.map(({ count }) => count));
  const name = (ns: number) => {
    const units = ['', 'K', 'M', 'G'];
    let value = ns;
    let unit = 0;
    for (; value >= 1024 && unit < 3; unit++) value /= 1024;
    return `${value}${units[unit]}`;
  };
  return rows.map(({ from_ns, to_ns, count }) => {
    const bar = '@'.repeat(Math.round((52 * count) / most)).padEnd(52);
    return `${`[${name(from_ns)}, ${name(to_ns)})`.padEnd(16)} ${String(count).padStart(10)} |${bar}|`;
  });
}

/** value_ns,share rows: the share of all that took no longer. */
export function cdfRows(result: TimedResult): string[] {
  const rows = ['latency,value_ns,share'];
  for (const [name, histogram] of Object.entries(result.latencies)) {
    for (const [ps, share] of histogram.cdf())
      rows.push(`${name},${ps / 1000},${share.toFixed(9)}`);
  }
  return rows;
}

/** One row per latency. */
export function csvRows(result: TimedResult): string[] {
  const columns = [
    'count',
    'min_ns',
    'mean_ns',
    'p50_ns',
    'p90_ns',
    'p99_ns',
    'p999_ns',
    'p9999_ns',
    'max_ns',
  ] as const;
  const rows = [`scenario,costs,seed,latency,${columns.join(',')}`];
  for (const name of Object.keys(LATENCIES) as Latency[]) {
    if (result.latencies[name].count === 0) continue;
    const summary = result.latencies[name].summary();
    const values = columns.map((column) => summary[column]);
    rows.push([result.scenario, result.costs, result.seed, name, ...values].join(','));
  }
  return rows;
}

/** IPIs from row to column. */
export function matrixRows(result: TimedResult): string[] {
  const { cell, ipis } = result.matrix;
  const label = (i: number) => {
    const last = Math.min((i + 1) * cell, result.cpus) - 1;
    return cell === 1 ? `${i}` : `${i * cell}-${last}`;
  };
  const widest = Math.max(
    0,
    ...ipis.flat().map((n) => String(n).length),
    label(ipis.length - 1).length,
  );
  const line = (head: string, cells: (string | number)[]) =>
    `${head.padStart(9)} ${cells.map((value) => String(value || '.').padStart(widest + 1)).join('')}`;
  return [
    `from \\ to ${ipis.map((_, i) => label(i).padStart(widest + 1)).join('')}`,
    ...ipis.map((row, i) => line(label(i), row)),
  ];
}

/** One number: IPIs delivered per simulated second. */
export function simpleNumber(result: TimedResult): string {
  return perSecond(result.counters.delivered, result.elapsedNs).toFixed(0);
}
