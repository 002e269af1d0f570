import {
  checkScenario,
  costSet,
  type TimedOptions,
  type TimedResult,
  TimedRun,
} from '../../src/timed-index.js';

export const base = { name: 'test', summary: '' };
export const busy = (cpus: string) => ({ cpus, do: 'nothing', idle: 'busy' });
export const run = (
  what: object,
  costs = 'intel-xeon-x2apic-cluster',
  options: TimedOptions = {},
) => new TimedRun(checkScenario({ ...base, ...what }), costSet(costs), options).run();
export const meanNs = (result: TimedResult, name: keyof TimedResult['latencies']) =>
  result.latencies[name].meanPs / 1000;

/** Every operation there is, from four CPUs. */
export const MIX = {
  cpus: '0-3',
  do: 'smp_call_function_single_async',
  think_ns: 300,
  mix: [
    { weight: 1, do: 'smp_call_function_any', size: 2, wait: true },
    { weight: 1, do: 'irq_work_queue_on' },
    { weight: 1, do: 'irq_work_queue' },
    { weight: 1, do: 'ttwu_queue_wakelist' },
    { weight: 1, do: 'on_each_cpu_cond', cond: 0.3, wait: true },
    { weight: 1, do: 'flush_tlb_mm_range' },
    { weight: 1, do: 'smp_call_function_single' },
    { weight: 1, do: 'smp_call_function_single', wait: true },
    { weight: 1, do: 'smp_call_function_many', targets: 'random-set', size: 3 },
    { weight: 1, do: 'resched_curr' },
    { weight: 1, do: 'irqs_off', for_ns: 300 },
  ],
};
