// Scenarios: a machine, what its CPUs do, and what goes wrong. JSON with comments, checked by schema.

import * as v from 'valibot';
import { DRIVERS, ERAS, MODES } from '../core/config.js';
import { usage } from '../core/errors.js';
import { T } from '../core/memory.js';
import { DO, FAULTS, FUNCS, TARGETS } from './names.js';
import type { Fault, Scenario } from './types.js';
import { check } from './validate.js';

const keys = <K extends string>(table: Record<K, unknown>) => Object.keys(table) as K[];
const whole = (min: number, max: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
const cpu = whole(0, T.TIMED_CPUS_MAX - 1);
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const ns = v.pipe(v.number(), v.minValue(0), v.maxValue(1e15));
const ranges = v.pipe(
  v.string(),
  v.regex(/^\d+(-\d*(:\d+\/\d+)?)?(,\d+(-\d*(:\d+\/\d+)?)?)*$/),
  v.description('CPUs as the kernel lists them, such as 0-3,8 or 0-31:1/2; 4- is 4 to the last'),
);

const operation = {
  do: v.pipe(v.picklist(keys(DO)), v.description('the kernel function, or irqs_off, or nothing')),
  targets: v.optional(
    v.pipe(v.picklist(keys(TARGETS)), v.description('how each operation chooses its targets')),
  ),
  target: v.optional(v.pipe(cpu, v.description('the target of "fixed"'))),
  among: v.optional(
    v.pipe(v.string(), v.regex(/^\d+-\d*$/), v.description('the CPUs to choose from, default all')),
  ),
  size: v.optional(v.pipe(whole(1, T.TIMED_CPUS_MAX), v.description('targets of a set'))),
  func: v.optional(v.pipe(v.picklist(FUNCS), v.description('what a call runs'))),
  cond: v.optional(
    v.pipe(
      share,
      v.description('how likely each target meets on_each_cpu_cond()' + "'s condition"),
    ),
  ),
  wait: v.optional(v.pipe(v.boolean(), v.description('the caller waits for the function'))),
  vector: v.optional(v.pipe(whole(16, 255), v.description('vector of a bare send; default 0xf2'))),
  lock: v.optional(v.pipe(whole(0, T.LOCKS - 1), v.description('mutex held around the operation'))),
  func_lock: v.optional(
    v.pipe(whole(0, T.LOCKS - 1), v.description('spinlock that the called function takes')),
  ),
  for_ns: v.optional(v.pipe(ns, v.description('length of irqs_off'))),
};

const workload = v.strictObject({
  cpus: v.pipe(v.union([ranges, v.literal('all')]), v.description('who does it')),
  ...operation,
  mix: v.optional(
    v.pipe(
      v.array(v.strictObject({ weight: whole(1, 1e6), ...operation })),
      v.maxLength(15),
      v.description('further operations, chosen by weight; the first has `weight`'),
    ),
  ),
  weight: v.optional(whole(1, 1e6)),
  loops: v.optional(
    v.pipe(
      whole(0, Number.MAX_SAFE_INTEGER),
      v.description('operations of each CPU, 0: until the end'),
    ),
  ),
  think_ns: v.optional(v.pipe(ns, v.description('closed loop: user work before each operation'))),
  period_ns: v.optional(v.pipe(ns, v.description('open loop: time between intended starts'))),
  spread: v.optional(
    v.pipe(
      v.picklist(['periodic', 'exponential']),
      v.description('how period_ns or think_ns varies'),
    ),
  ),
  burst: v.optional(v.pipe(whole(1, 1e6), v.description('operations at each intended start'))),
  start_ns: v.optional(ns),
  stagger_ns: v.optional(
    v.pipe(ns, v.description('each CPU starts this much after the one before')),
  ),
  idle: v.optional(
    v.pipe(
      v.picklist(['halt', 'poll', 'busy']),
      v.description('what the CPU does while it has nothing to do'),
    ),
  ),
});

const fault = v.strictObject({
  fault: v.picklist(keys(FAULTS)),
  from: v.optional(v.pipe(cpu, v.description('sender'))),
  to: v.optional(v.pipe(cpu, v.description('target, or the CPU whose EOI or IF it is'))),
  vector: v.optional(v.pipe(whole(0, 255), v.description('2: NMIs'))),
  nth: v.optional(
    v.pipe(whole(1, 2 ** 31), v.description('which matching message of a target, from 1')),
  ),
  count: v.optional(v.pipe(whole(1, 2 ** 31), v.description('how many from the nth on'))),
  chance: v.optional(v.pipe(share, v.description('instead of nth: how likely each is struck'))),
  delay_ns: v.optional(
    v.pipe(ns, v.description('of delay and duplicate; the longest that reorder holds one back')),
  ),
  at_ns: v.optional(v.pipe(ns, v.description('not before; start of irqs-off and dead'))),
  for_ns: v.optional(v.pipe(ns, v.description('length of irqs-off'))),
});

/** @internal Its type is valibot's, which needs the DOM's. */
export const ScenarioSchema = v.strictObject({
  $schema: v.optional(v.string()),
  name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9/-]{0,63}$/)),
  summary: v.pipe(v.string(), v.maxLength(600)),
  machine: v.optional(
    v.strictObject({
      cpus: v.optional(whole(1, T.TIMED_CPUS_MAX)),
      topology: v.optional(
        v.strictObject({ sockets: whole(1, 64), cores: whole(1, 4096), threads: whole(1, 16) }),
      ),
      ccd_cores: v.optional(
        v.pipe(
          whole(1, 4096),
          v.description('cores that share a last-level cache; default a socket'),
        ),
      ),
      mode: v.optional(v.picklist(keys(MODES))),
      driver: v.optional(v.picklist(keys(DRIVERS))),
      era: v.optional(v.picklist(keys(ERAS))),
      no_ipi_broadcast: v.optional(v.boolean()),
    }),
  ),
  costs: v.optional(v.pipe(v.string(), v.description('name of a cost set'))),
  duration_ns: v.pipe(
    ns,
    v.minValue(1),
    v.description('how long; ends earlier when every workload is done'),
  ),
  drain_ns: v.optional(
    v.pipe(ns, v.description('of the duration, the end in which nothing new begins')),
  ),
  workloads: v.pipe(v.array(workload), v.minLength(1), v.maxLength(T.WORK_MAX)),
  faults: v.optional(v.pipe(v.array(fault), v.maxLength(T.FAULT_MAX))),
  csd: v.optional(
    v.strictObject({
      timeout_ms: v.optional(
        v.pipe(
          v.number(),
          v.minValue(0),
          v.description('smp.csd_lock_timeout, 0: off; default 5000'),
        ),
      ),
      panic_ms: v.optional(
        v.pipe(v.number(), v.minValue(0), v.description('smp.panic_on_ipistall, 0: never')),
      ),
    }),
  ),
});

export type { Fault, Operation, Scenario, Workload } from './types.js';

/** @throws UsageError naming the field, what it got and what is allowed */
export function checkScenario(value: unknown): Scenario {
  const scenario = check('scenario', ScenarioSchema, value);
  scenario.faults?.forEach(checkFault);
  return scenario;
}

function checkFault(fault: Fault, index: number): void {
  const where = `scenario.faults.${index}`;
  const need = (ok: unknown, field: keyof Fault, allowed: string) => {
    if (!ok) throw usage(`${where}.${field}`, fault[field] ?? 'nothing', allowed);
  };
  if (fault.fault === 'irqs-off' || fault.fault === 'dead') {
    need(fault.to !== undefined, 'to', 'the CPU that it happens to');
    need(fault.fault === 'dead' || fault.for_ns, 'for_ns', 'how long, in ns');
    return;
  }
  if ((fault.nth === undefined) === (fault.chance === undefined)) {
    throw usage(where, fault.nth === undefined ? 'neither' : 'both', 'one of nth and chance');
  }
  const late = fault.fault === 'delay' || fault.fault === 'duplicate';
  need(!late || fault.delay_ns, 'delay_ns', 'how late, in ns');
}

/** CPUs of a list such as 0-3,8 or 0-31:1/2 or 4- or all. @throws UsageError naming `where` */
export function cpusOf(list: string, cpus: number, where: string): number[] {
  if (list === 'all') return Array.from({ length: cpus }, (_, i) => i);
  const all: number[] = [];
  for (const part of list.split(',')) {
    const [range = '', pattern] = part.split(':');
    const [first, last] = rangeOf(range, cpus, where);
    const [used, group] = pattern ? pattern.split('/').map(Number) : [1, 1];
    if (!used || !group || used > group) throw usage(where, part, 'a pattern such as 0-31:1/2');
    for (let cpu = first; cpu <= last; cpu++) if ((cpu - first) % group < used) all.push(cpu);
    if (all.length > 2 * cpus) throw usage(where, list, `each of the ${cpus} CPUs once`);
  }
  return all;
}

/** First and last CPU of "4", "4-7" or "4-". @throws UsageError naming `where` */
export function rangeOf(range: string, cpus: number, where: string): [number, number] {
  const [from = '', to] = range.split('-');
  const first = Number(from);
  const last = to === undefined ? first : to === '' ? cpus - 1 : Number(to);
  if (first > last || last >= cpus) throw usage(where, range, `CPUs 0-${cpus - 1}, low to high`);
  return [first, last];
}
