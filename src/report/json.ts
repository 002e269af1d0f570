// A timed result as plain data with snake_case names, for JSON and for tables.
import { checkResult } from '../timed/check-result.js';
import type { SlowWait, TimedResult } from '../timed/engine.js';
import type { Percentiles } from '../timed/histogram.js';
import type { Latency } from '../timed/names.js';
import { kernelMessages } from './messages.js';
import { perSecond } from './units.js';

export function latencySummaries(result: TimedResult): Partial<Record<Latency, Percentiles>> {
  const measured = Object.entries(result.latencies).filter(([, hist]) => hist.count > 0);
  return Object.fromEntries(measured.map(([name, hist]) => [name, hist.summary()]));
}

/**
 * Everything but the histograms' buckets; the same on every machine.
 * @throws UsageError for what is no result of a TimedRun
 */
export function timedJson(result: TimedResult): object {
  const { counts, counters, sender } = checkResult(result);
  return {
    scenario: result.scenario,
    costs: result.costs,
    driver: result.driver,
    era: result.era,
    cpus: result.cpus,
    seed: result.seed,
    elapsed_ns: result.elapsedNs,
    inputs: result.inputs,
    counts: {
      ...counts,
      ipis_delivered: counters.delivered,
      ipis_coalesced: counters.coalesced,
      ipis_rejected: counters.rejected,
      ipis_pending: counters.pending,
      eois: counters.eois,
      stray_eois: counters.strayEois,
      icr_writes: sender.icrWrites,
      fences: sender.fences,
      irq_saves: sender.irqSaves,
      mask_copies: sender.maskCopies,
      mask_words: sender.maskWords,
      hypercalls: sender.hypercalls,
    },
    rates: {
      operations_per_s: perSecond(counts.operations, result.elapsedNs),
      ipis_sent_per_s: perSecond(counts.ipis_sent, result.elapsedNs),
      ipis_delivered_per_s: perSecond(counters.delivered, result.elapsedNs),
    },
    latencies: latencySummaries(result),
    per_cpu: result.perCpu,
    matrix: result.matrix,
    slowest: result.slowest.map(plainWait),
    stuck: result.stuck.map(plainWait),
    kernel_log: kernelMessages(result.messages),
    locks_held_ns: result.locksHeldNs,
    bus_busy_ns: result.busBusyNs,
    events: result.events,
    event_hash: result.eventHash,
    timed_hash: result.timedHash,
  };
}

function plainWait({ wait_ns, begin_ns, cpu, target }: SlowWait): SlowWait {
  return { wait_ns, begin_ns, cpu, target };
}
