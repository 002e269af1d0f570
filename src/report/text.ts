// A timed result as text.

import { count, si, type Terminal } from '../cli/terminal.js';
import type { TimedResult } from '../timed/engine.js';
import { CATEGORIES, LATENCIES, type Latency } from '../timed/names.js';
import { perSecond } from './json.js';
import { kernelMessages } from './messages.js';
import { vectorName } from './vectors.js';
import { duration, type Explanation } from './why.js';

const ns = (value: number) => {
  if (value >= 1e7) return `${(value / 1e6).toPrecision(4)} ms`;
  return value >= 1e5 ? `${(value / 1e3).toFixed(1)} us` : value.toFixed(1);
};
const share = (part: number, whole: number) =>
  whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`;

/** "x2apic_cluster, costs of ... : 9 measured, 12 derived, 20 guessed". */
export function inputsLine({ costs, inputs }: TimedResult): string {
  const all = inputs.measured + inputs.derived + inputs.guess;
  const of = (n: number) => `${n} (${((100 * n) / all).toFixed(0)} %)`;
  return `costs ${costs}: ${of(inputs.measured)} measured, ${of(inputs.derived)} derived, ${of(inputs.guess)} guessed inputs`;
}

export function printTimed(result: TimedResult, terminal: Terminal, wallNs: number): void {
  terminal.title(
    `${result.scenario}: ${count(result.cpus)} CPUs, ${result.era} ${result.driver}, seed ${result.seed}`,
  );
  terminal.print(inputsLine(result));
  terminal.print(
    `simulated ${duration(result.elapsedNs * 1000)}: ${count(result.counts.operations)} operations, ${si(perSecond(result.counts.operations, result.elapsedNs))} a second`,
  );
  terminal.print();
  printIpis(result, terminal);
  terminal.print();
  printLatencies(result, terminal);
  terminal.print();
  printTime(result, terminal);
  printWaits(result, terminal);
  printMessages(result, terminal);
  terminal.print();
  terminal.print(`event hash ${result.eventHash}, timed ${result.timedHash}`);
  terminal.print(
    terminal.style(
      'dim',
      `wall clock: ${(wallNs / 1e9).toFixed(2)} s, ${si(result.events / (wallNs / 1e9))} events/s, ${si(result.counts.ipis_sent / (wallNs / 1e9))} IPIs/s`,
    ),
  );
}

function printIpis({ counts, counters, sender, elapsedNs }: TimedResult, terminal: Terminal): void {
  const sent = counts.ipis_sent;
  const rows: [string, number][] = [
    ['sent', sent],
    ['handled', counters.delivered],
    ['merged in IRR', counters.coalesced],
    ['pending at the end', counters.pending],
    ['rejected by the target', counters.rejected],
    ['lost by a fault', counts.dropped],
    ['not needed: queue not empty', counts.ipis_suppressed],
    ['not needed: target polled', counts.ipis_polling],
  ];
  const shown = rows.filter(([, n], i) => n > 0 || i < 2);
  terminal.table(
    ['IPIs', 'count', 'share', 'a second'],
    shown.map(([name, n]) => [name, count(n), share(n, sent), si(perSecond(n, elapsedNs))]),
  );
  const paid: [string, number][] = [
    ['ICR writes', sender.icrWrites],
    ['fences', sender.fences],
    ['irq saves', sender.irqSaves],
    ['mask copies', sender.maskCopies],
    ['hypercalls', sender.hypercalls],
    ['bus messages', counts.bus_messages],
    ['bus retries', counts.bus_retries],
    ['EOIs', counters.eois],
    ['stray EOIs', counters.strayEois],
  ];
  const text = paid.filter(([, n]) => n > 0).map(([name, n]) => `${count(n)} ${name}`);
  if (text.length > 0) terminal.print(`paid: ${text.join(', ')}`);
}

function printLatencies(result: TimedResult, terminal: Terminal): void {
  const rows = (Object.keys(LATENCIES) as Latency[])
    .filter((name) => result.latencies[name].count > 0)
    .map((name) => {
      const s = result.latencies[name].summary();
      const values = [s.p50_ns, s.p90_ns, s.p99_ns, s.p999_ns, s.p9999_ns, s.max_ns];
      return [name, count(s.count), ...values.map(ns)];
    });
  terminal.table(['latency, ns', 'count', 'p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max'], rows);
}

function printTime({ perCpu, elapsedNs }: TimedResult, terminal: Terminal): void {
  const busy = perCpu
    .map(({ time_ns, noise }, cpu) => ({ cpu, time_ns, noise, irq: time_ns.irq }))
    .toSorted((a, b) => b.irq - a.irq || a.cpu - b.cpu);
  terminal.table(
    ['CPU, by time in interrupts', ...CATEGORIES, 'stolen', 'worst single', 'by'],
    busy
      .slice(0, 4)
      .map(({ cpu, time_ns, noise }) => [
        `CPU ${cpu}`,
        ...CATEGORIES.map((name) => share(time_ns[name], elapsedNs)),
        ns(noise.total_ns),
        ns(noise.max_ns),
        noise.count === 0 ? '' : `CPU ${noise.source} ${noise.func ?? vectorName(noise.what)}`,
      ]),
  );
}

function printWaits({ slowest, stuck }: TimedResult, terminal: Terminal): void {
  const [worst] = slowest;
  if (stuck.length > 0) {
    const text = stuck.map(
      ({ cpu, target, wait_ns }) =>
        `CPU ${cpu} for CPU ${target} since ${duration(wait_ns * 1000)}`,
    );
    terminal.print();
    const more = text.length > 4 ? ` and ${text.length - 4} more` : '';
    terminal.print(
      terminal.style(
        'red',
        `still waiting in csd_lock_wait() at the end: ${text.slice(0, 4).join('; ')}${more}`,
      ),
    );
    terminal.print('--why tells the chain of events');
  } else if (worst) {
    terminal.print(
      `slowest csd_lock_wait(): CPU ${worst.cpu} for CPU ${worst.target}, ${duration(worst.wait_ns * 1000)} from ${duration(worst.begin_ns * 1000)} on; --why tells its chain of events`,
    );
  }
}

function printMessages({ messages }: TimedResult, terminal: Terminal): void {
  const lines = kernelMessages(messages);
  if (lines.length === 0) return;
  terminal.print();
  terminal.title('What the kernel would print');
  for (const line of lines.slice(0, 12)) terminal.print(line);
  if (lines.length > 12) terminal.print(`... and ${lines.length - 12} lines more`);
}

export function printWhy({ wait, stuck, steps, cause }: Explanation, terminal: Terminal): void {
  terminal.print();
  terminal.title(
    `Why CPU ${wait.cpu} ${stuck ? `still waits for CPU ${wait.target}` : `waited ${duration(wait.wait_ns * 1000)} for CPU ${wait.target}`}`,
  );
  const width = String(Math.max(wait.cpu, wait.target)).length;
  for (const { ns: at, cpu, text } of steps) {
    terminal.print(
      `${(at / 1000).toFixed(3).padStart(16)} us  CPU ${String(cpu).padEnd(width)}  ${text}`,
    );
  }
  terminal.print(terminal.style('yellow', `=> ${cause}`));
}
