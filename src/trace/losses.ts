// What the recorder lost, and in which stretch of which CPU's events.

import { CPUS_MAX } from './cpumask.js';

/** A stretch of one CPU in which events are missing: rows (not lines) from `from` up to `to`. */
export interface Gap {
  /** -1: any. */
  cpu: number;
  from: number;
  to: number;
}

export interface CpuLoss {
  cpu: number;
  /** Events lost; a place of unknown size counts as one. */
  lost: number;
  /** Places of unknown size: `lost` and `share` are lower bounds when there are any. */
  unknown: number;
  /** Places where some were lost. */
  gaps: number;
  /** lost / (lost + seen), 0 to 1. */
  share: number;
}

export class Losses {
  /** Events lost that no CPU is named for: overwritten before the trace begins. */
  overwritten = 0;
  /** Places where the recorder said that events were lost, but not how many. */
  unknown = 0;
  readonly gaps: Gap[] = [];
  readonly #lost = new Map<number, { lost: number; gaps: number; unknown: number }>();
  readonly #seen = new Map<number, { events: number; row: number }>();

  /** An event of `cpu` was read; `row` is the next row's number. */
  saw(cpu: number, row: number): void {
    const seen = this.#seen.get(cpu);
    if (seen) {
      seen.events++;
      seen.row = row;
    } else this.#seen.set(cpu, { events: 1, row });
  }

  /** `count` events of `cpu` are missing before its next one; undefined: nobody knows how many. */
  lost(cpu: number, count: number | undefined, row: number): void {
    const known = this.#lost.get(cpu) ?? { lost: 0, gaps: 0, unknown: 0 };
    known.lost += count ?? 1;
    known.gaps++;
    this.#lost.set(cpu, known);
    if (count === undefined) {
      known.unknown++;
      this.unknown++;
    }
    this.gaps.push({ cpu, from: this.#seen.get(cpu)?.row ?? 0, to: row });
  }

  /** Events of some CPU are missing somewhere before row `row`; nobody knows of which. */
  lostSomewhere(count: number, row: number): void {
    this.overwritten += count;
    this.gaps.push({ cpu: -1, from: 0, to: row });
  }

  /** Whether the trace has any event of `cpu`. */
  has(cpu: number): boolean {
    return this.#seen.has(cpu);
  }

  /** The trace has nothing of `cpu` before here: its buffer begins later than the others'. */
  begins(cpu: number, row: number): void {
    this.gaps.push({ cpu, from: 0, to: row });
  }

  /** All that is known to be lost; places of unknown size count as one. */
  get total(): number {
    return [...this.#lost.values()].reduce((sum, { lost }) => sum + lost, this.overwritten);
  }

  perCpu(): CpuLoss[] {
    return [...this.#lost]
      .map(([cpu, { lost, gaps, unknown }]) => {
        const seen = this.#seen.get(cpu)?.events ?? 0;
        return { cpu, lost, unknown, gaps, share: lost / (lost + seen) };
      })
      .sort((a, b) => a.cpu - b.cpu);
  }
}

const LOST =
  /^CPU: {0,4}(\d{1,5}) \[(?:LOST (\d{1,18}) EVENTS|(\d{1,18}) EVENTS DROPPED|LOST EVENTS|EVENTS DROPPED)\]/;

/** "CPU:3 [LOST 12 EVENTS]". Linux print_trace_line(), trace-cmd trace_show_data(). */
export function parseLost(line: string): { cpu: number; count: number | undefined } | undefined {
  const at = line.indexOf('CPU:');
  if (at < 0 || line.slice(0, at).trim().includes('[')) return undefined;
  const m = LOST.exec(line.slice(at, at + 80));
  if (!m) return undefined;
  const count = m[2] ?? m[3];
  return { cpu: Number(m[1]), count: count === undefined ? undefined : Number(count) };
}

/**
 * "PERF_RECORD_LOST lost 1234" of perf script --show-lost-events; count -1 in other records of perf.
 * The time and CPU of LOST_SAMPLES mean nothing: perf record writes it at its end.
 */
export function parsePerfLost(line: string): { count: number; samples: boolean } | undefined {
  const at = line.indexOf('PERF_RECORD_');
  if (at < 0) return undefined;
  const m =
    /^PERF_RECORD_LOST(_SAMPLES)?:? {1,20}(?:id: {0,4}\d{1,20}: {0,4})?lost:? {0,4}(\d{1,15})/.exec(
      line.slice(at, at + 120),
    );
  return { count: m ? Number(m[2]) : -1, samples: m?.[1] !== undefined };
}

/** "#P:20", "cpus=4", perf's "# nrcpus online : 48". */
export function parseHeaderCpus(line: string): number | undefined {
  const m =
    /#P:(\d{1,5})\)?\s{0,20}$/.exec(line.slice(-40)) ??
    /^(?:\s{0,60}[\w.-]{1,60}:)?\s{0,60}cpus=(\d{1,5})\s{0,20}$/.exec(line) ??
    /^# nrcpus online {0,4}: {0,4}(\d{1,5})\s{0,20}$/.exec(line);
  const cpus = Number(m?.[1]);
  return m && cpus > 0 && cpus <= CPUS_MAX ? cpus : undefined;
}

/** What a header says of the buffer: entries in it, and written in all. */
export function parseEntries(line: string): { kept: number; written: number } | undefined {
  const m =
    /entries-in-buffer\/entries-written: (\d{1,15})\/(\d{1,15})/.exec(line.slice(0, 200)) ??
    /^# latency: .{1,60}, #(\d{1,15})\/(\d{1,15}),/.exec(line.slice(0, 200));
  return m ? { kept: Number(m[1]), written: Number(m[2]) } : undefined;
}
