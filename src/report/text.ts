// A timed result as text.
import type { TimedResult } from '../timed/engine.js';
import { CATEGORIES, LATENCIES, type Latency } from '../timed/names.js';
import { kernelMessages } from './messages.js';
import { Sheet } from './sheet.js';
import { count, duration, perSecond, si } from './units.js';
import { vectorName } from './vectors.js';
import type { Explanation } from './why.js';

const ns = (value: number) => {
  if (value >= 1e7) return `${(value / 1e6).toPrecision(4)} ms`;
  return value >= 1e5 ? `${(value / 1e3).toFixed(1)} us` : value.toFixed(1);
};
const share = (part: number, whole: number) =>
  whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`;

/** "x2apic_cluster, costs of ... : 9 measured, 12 derived, 20 guessed". */
function inputsLine({ costs, inputs }: TimedResult): string {
  const all = inputs.measured + inputs.derived + inputs.guess;
  const of = (n: number) => `${n} (${((100 * n) / all).toFixed(0)} %)`;
  return `costs ${costs}: ${of(inputs.measured)} measured, ${of(inputs.derived)} derived, ${of(inputs.guess)} guessed inputs`;
}

export function timedSheet(result: TimedResult, wallNs: number): Sheet {
  const sheet = new Sheet();
  sheet.title(
    `${result.scenario}: ${count(result.cpus)} CPUs, ${result.era} ${result.driver}, seed ${result.seed}`,
  );
  sheet.line(inputsLine(result));
  sheet.line(
    `simulated ${duration(result.elapsedNs * 1000)}: ${count(result.counts.operations)} operations, ${si(perSecond(result.counts.operations, result.elapsedNs))} a second`,
  );
  sheet.line();
  addIpis(result, sheet);
  sheet.line();
  addLatencies(result, sheet);
  sheet.line();
  addTime(result, sheet);
  addWaits(result, sheet);
  addMessages(result, sheet);
  sheet.line();
  sheet.line(`event hash ${result.eventHash}, timed ${result.timedHash}`);
  sheet.line(
    `wall clock: ${(wallNs / 1e9).toFixed(2)} s, ${si(result.events / (wallNs / 1e9))} events/s, ${si(result.counts.ipis_sent / (wallNs / 1e9))} IPIs/s`,
    'aside',
  );
  return sheet;
}

function addIpis({ counts, counters, sender, elapsedNs }: TimedResult, sheet: Sheet): void {
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
  sheet.table(
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
  if (text.length > 0) sheet.line(`paid: ${text.join(', ')}`);
}

function addLatencies(result: TimedResult, sheet: Sheet): void {
  const rows = (Object.keys(LATENCIES) as Latency[])
    .filter((name) => result.latencies[name].count > 0)
    .map((name) => {
      const s = result.latencies[name].summary();
      const values = [s.p50_ns, s.p90_ns, s.p99_ns, s.p999_ns, s.p9999_ns, s.max_ns];
      return [name, count(s.count), ...values.map(ns)];
    });
  sheet.table(['latency, ns', 'count', 'p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max'], rows);
}

function addTime({ perCpu, elapsedNs }: TimedResult, sheet: Sheet): void {
  const busy = perCpu
    .map(({ time_ns, noise }, cpu) => ({ cpu, time_ns, noise, irq: time_ns.irq }))
    .toSorted((a, b) => b.irq - a.irq || a.cpu - b.cpu);
  sheet.table(
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

function addWaits({ slowest, stuck }: TimedResult, sheet: Sheet): void {
  const [worst] = slowest;
  if (stuck.length > 0) {
    const text = stuck.map(
      ({ cpu, target, wait_ns }) =>
        `CPU ${cpu} for CPU ${target} since ${duration(wait_ns * 1000)}`,
    );
    sheet.line();
    const more = text.length > 4 ? ` and ${text.length - 4} more` : '';
    sheet.line(
      `still waiting in csd_lock_wait() at the end: ${text.slice(0, 4).join('; ')}${more}`,
      'alarm',
    );
    sheet.line('--why tells the chain of events');
  } else if (worst) {
    sheet.line(
      `slowest csd_lock_wait(): CPU ${worst.cpu} for CPU ${worst.target}, ${duration(worst.wait_ns * 1000)} from ${duration(worst.begin_ns * 1000)} on; --why tells its chain of events`,
    );
  }
}

function addMessages({ messages }: TimedResult, sheet: Sheet): void {
  const lines = kernelMessages(messages);
  if (lines.length === 0) return;
  sheet.line();
  sheet.title('What the kernel would print');
  for (const line of lines.slice(0, 12)) sheet.line(line);
  if (lines.length > 12) sheet.line(`... and ${lines.length - 12} lines more`);
}

/** Of a long chain half of these from its beginning, half from its end. */
const STEPS_SHOWN = 60;

export function whySheet({ wait, stuck, steps, cause }: Explanation): Sheet {
  const sheet = new Sheet();
  sheet.line();
  sheet.title(
    `Why CPU ${wait.cpu} ${stuck ? `still waits for CPU ${wait.target}` : `waited ${duration(wait.wait_ns * 1000)} for CPU ${wait.target}`}`,
  );
  const width = String(Math.max(wait.cpu, wait.target)).length;
  const left = steps.length > STEPS_SHOWN ? steps.length - STEPS_SHOWN : 0;
  for (const [i, { ns: at, cpu, text }] of steps.entries()) {
    if (i === STEPS_SHOWN / 2 && left > 0) sheet.line(`... and ${count(left)} more steps`);
    if (i >= STEPS_SHOWN / 2 && i < STEPS_SHOWN / 2 + left) continue;
    sheet.line(
      `${(at / 1000).toFixed(3).padStart(16)} us  CPU ${String(cpu).padEnd(width)}  ${text}`,
    );
  }
  sheet.line(`=> ${cause}`, 'note');
  return sheet;
}
