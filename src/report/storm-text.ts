// An untimed storm: its counters, what the sender paid, and the host's speed.
import type { Machine } from '../machine/machine.js';
import type { StormResult } from '../machine/storm.js';
import { Sheet } from './sheet.js';
import { count, si } from './units.js';

/** A storm that has run, and how long it took the host. */
export interface StormRun {
  machine: Machine;
  result: StormResult;
  elapsedNs: number;
  interrupted: boolean;
}

/** IPIs a second of each run, slowest first. */
function rates(runs: readonly StormRun[]): number[] {
  return runs
    .map(({ result, elapsedNs }) => (result.counters.attempted / elapsedNs) * 1e9)
    .sort((a, b) => a - b);
}

/** The host's speed, as plain data. */
export function wallClock(runs: readonly StormRun[]): object {
  const sorted = rates(runs);
  return {
    runs: runs.length,
    interrupted: runs.at(-1)!.interrupted,
    elapsed_ns: runs[0]!.elapsedNs,
    ipis_per_s_median: Math.round(sorted[sorted.length >> 1]!),
    ipis_per_s_min: Math.round(sorted[0]!),
    ipis_per_s_max: Math.round(sorted.at(-1)!),
  };
}

export function stormSheet(runs: readonly StormRun[]): Sheet {
  const sheet = new Sheet();
  const { result, machine, elapsedNs } = runs[0]!;
  const { counters, costs } = result;
  const { mode, driver, era } = machine.config;
  sheet.title(
    `${result.pattern} via ${result.via}: ${count(result.cpus)} CPUs, ${mode}, ${era} ${driver}, depth ${result.depth}, seed ${result.seed}`,
  );
  const last = runs.length > 1 ? `run ${runs.length} was ` : '';
  const figures =
    runs.length > 1 ? 'the counters are of run 1' : 'the figures are of what was done';
  if (runs.at(-1)!.interrupted) sheet.line(`${last}interrupted: ${figures}`, 'note');
  const share = (n: number) => `${((100 * n) / Math.max(1, counters.attempted)).toFixed(1)} %`;
  const rows = (['attempted', 'delivered', 'coalesced', 'rejected', 'pending'] as const).map(
    (key) => [key, count(counters[key]), share(counters[key])],
  );
  sheet.table(['IPIs', 'count', 'share'], rows);
  sheet.line(
    `EOIs ${count(counters.eois)}, stray ${counters.strayEois}; attempted = delivered + coalesced + rejected + pending: holds`,
  );
  const per = (n: number) => (n / costs.sends).toFixed(n % costs.sends === 0 ? 0 : 2);
  sheet.line(
    `per send: ${per(costs.icrWrites)} ICR writes, ${per(costs.fences)} fences, ${per(costs.irqSaves)} irq saves, ${per(costs.maskCopies)} mask copies, ${per(costs.maskWords)} mask words, ${per(costs.hypercalls)} hypercalls`,
  );
  sheet.line(`event hash ${result.eventHash}`);
  const sorted = rates(runs);
  const spread =
    runs.length > 1
      ? `, median of ${runs.length}: ${si(sorted[sorted.length >> 1]!)} (${si(sorted[0]!)} to ${si(sorted.at(-1)!)})`
      : '';
  sheet.line(
    `wall clock: ${(elapsedNs / 1e9).toFixed(2)} s, ${si(counters.attempted / (elapsedNs / 1e9))} IPIs/s${spread}`,
    'aside',
  );
  return sheet;
}

const CPU_COLUMNS = {
  attempted: 'attempted',
  delivered: 'delivered',
  coalesced: 'coalesced',
  rejected: 'rejected',
  pending: 'pending',
  eois: 'eois',
  stray_eois: 'strayEois',
  nmis: 'nmis',
} as const;

/** One row per CPU. */
export function stormCsvRows(machine: Machine): string[] {
  const { cpus, apicIds } = machine.config;
  const fields = Object.values(CPU_COLUMNS);
  const rows = Array.from({ length: cpus }, (_, cpu) => {
    const counters = machine.counters(cpu);
    return [cpu, apicIds[cpu], ...fields.map((field) => counters[field])].join(',');
  });
  return [`cpu,apic_id,${Object.keys(CPU_COLUMNS).join(',')}`, ...rows];
}
