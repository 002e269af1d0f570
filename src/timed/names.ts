// Names of the timed engine's codes, in the order of assembly/timed/codes.ts.
import { X } from '../core/memory.js';

/** What can cost time, and when it is paid. */
export const COST_NAMES = {
  send_setup: [X.COST_SEND_SETUP, 'once per send, before anything is written'],
  mask_cpu: [X.COST_MASK_CPU, 'each target of a send'],
  mask_word: [X.COST_MASK_WORD, 'each 64-bit cpumask word that the driver reads or writes'],
  mask_copy: [X.COST_MASK_COPY, 'each cpumask copy, beside its words'],
  irq_save: [X.COST_IRQ_SAVE, 'each local_irq_save and restore'],
  fence: [X.COST_FENCE, 'each fence before an x2APIC write'],
  fence_per_store: [X.COST_FENCE_PER_STORE, 'each store that the fence has to wait for'],
  icr_write: [X.COST_ICR_WRITE, 'each ICR, ICR2 or SELF_IPI write'],
  icr_idle_poll: [X.COST_ICR_IDLE_POLL, 'each read of the xAPIC delivery status'],
  exit_unicast: [X.COST_EXIT_UNICAST, 'VM exit of an ICR write to one physical destination'],
  exit_multicast: [
    X.COST_EXIT_MULTICAST,
    'VM exit of an ICR write with a logical destination or shorthand',
  ],
  hypercall: [X.COST_HYPERCALL, 'each hypercall that sends'],
  per_target: [X.COST_PER_TARGET, 'each further target that the hypervisor kicks inside one send'],
  wire_self: [X.COST_WIRE_SELF, "an interrupt message's way to the sender itself"],
  wire_smt: [X.COST_WIRE_SMT, 'to the SMT sibling'],
  wire_core: [X.COST_WIRE_CORE, 'to another core of the CCD'],
  wire_ccd: [X.COST_WIRE_CCD, 'to another CCD of the socket'],
  wire_socket: [X.COST_WIRE_SOCKET, 'to another socket'],
  entry: [X.COST_ENTRY, 'from taking the interrupt to the first instruction of its handler'],
  idle_wake: [X.COST_IDLE_WAKE, 'leaving HLT or MWAIT for an interrupt'],
  poll_wake: [X.COST_POLL_WAKE, 'a polling idle loop seeing TIF_NEED_RESCHED'],
  eoi: [X.COST_EOI, 'each EOI write'],
  exit: [X.COST_EXIT, 'from the end of the handler back to what was interrupted'],
  line_smt: [X.COST_LINE_SMT, "a cache line's transfer to or from the SMT sibling"],
  line_core: [X.COST_LINE_CORE, 'to or from another core of the CCD'],
  line_ccd: [X.COST_LINE_CCD, 'to or from another CCD of the socket'],
  line_socket: [X.COST_LINE_SOCKET, 'to or from another socket'],
  call_setup: [X.COST_CALL_SETUP, 'once per smp_call_function_*()'],
  handler: [X.COST_HANDLER, "an interrupt handler's own work between EOI and return"],
  bus_clock: [X.COST_BUS_CLOCK, 'one clock of the serial APIC bus'],
} as const satisfies Record<string, readonly [number, string]>;
export type CostName = keyof typeof COST_NAMES;

/** Functions that calls run, by code. Their costs are named func_*. */
export const FUNCS = [
  'empty',
  'flush_tlb_func',
  'ipi_mb',
  'rcu_exp_handler',
  'do_sync_core',
  'drain_local_pages',
  'rps_trigger_softirq',
  'sched_ttwu_pending',
  'tick_broadcast',
  'generic_smp_call_function_test',
] as const;

/** An operation: its code, its usual targets and function, whether its caller waits or has a share. */
interface Operation {
  op: number;
  /** Default `targets` and `func`. */
  targets?: string;
  func?: (typeof FUNCS)[number];
  wait?: boolean;
  /** 1: the caller runs its own share; 2: and in linux-4.0 before the others. */
  here?: number;
}

/** The kernel functions that a workload may call. */
export const DO = {
  send_IPI: { op: X.DO_SEND },
  send_IPI_mask: { op: X.DO_SEND_MASK, targets: 'others' },
  send_IPI_allbutself: { op: X.DO_ALLBUTSELF, targets: 'others' },
  send_IPI_self: { op: X.DO_SELF, targets: 'self' },
  smp_call_function_single: { op: X.DO_CALL_SINGLE },
  smp_call_function_single_async: { op: X.DO_CALL_ASYNC },
  smp_call_function_any: { op: X.DO_CALL_ANY, targets: 'random-set' },
  smp_call_function_many: { op: X.DO_CALL_MANY, targets: 'others' },
  on_each_cpu: { op: X.DO_CALL_MANY, targets: 'others', here: 1 },
  on_each_cpu_mask: { op: X.DO_CALL_MANY, targets: 'random-set', here: 1 },
  on_each_cpu_cond: { op: X.DO_CALL_MANY, targets: 'others', here: 1 },
  flush_tlb_mm_range: {
    op: X.DO_CALL_MANY,
    targets: 'others',
    func: 'flush_tlb_func',
    wait: true,
    here: 2,
  },
  resched_curr: { op: X.DO_RESCHED },
  ttwu_queue_wakelist: { op: X.DO_WAKE, func: 'sched_ttwu_pending' },
  irq_work_queue: { op: X.DO_IRQ_WORK, targets: 'self' },
  irq_work_queue_on: { op: X.DO_IRQ_WORK_ON },
  native_stop_other_cpus: { op: X.DO_STOP, targets: 'others' },
  function: { op: X.DO_FUNC, targets: 'self' },
  recorded: { op: X.DO_TRACE, targets: 'self' },
  irqs_off: { op: X.DO_IRQS_OFF, targets: 'self' },
  nothing: { op: X.DO_NOTHING, targets: 'self' },
} as const satisfies Record<string, Operation>;

export function operationOf(name: keyof typeof DO): Operation {
  return DO[name];
}

export const TARGETS = {
  fixed: X.TO_FIXED,
  next: X.TO_NEXT,
  random: X.TO_RANDOM,
  pair: X.TO_PAIR,
  each: X.TO_EACH,
  others: X.TO_OTHERS,
  all: X.TO_ALL,
  'random-set': X.TO_RANDOM_SET,
  contiguous: X.TO_CONTIGUOUS,
  self: X.TO_SELF,
} as const;

export const FAULTS = {
  drop: X.FAULT_DROP,
  delay: X.FAULT_DELAY,
  duplicate: X.FAULT_DUPLICATE,
  reorder: X.FAULT_REORDER,
  'lost-eoi': X.FAULT_LOST_EOI,
  'extra-eoi': X.FAULT_EXTRA_EOI,
  'no-copy': X.FAULT_NO_COPY,
  'irqs-off': X.FAULT_IRQS_OFF,
  dead: X.FAULT_DEAD,
} as const;

/** Latencies, in the order of their histograms. */
export const LATENCIES = {
  send: 'the send itself, as its caller sees it',
  send_to_irr: 'from the start of the send to the IRR bit at the target',
  irr_to_handler: 'from the IRR bit to the first instruction of the handler',
  delivery: 'from the start of the oldest merged send to the handler',
  delivery_intended: 'the same from the time the operation was meant to begin',
  handler: 'from taking the interrupt to the end of its return',
  call: "the whole operation, from its start to its caller's next instruction",
  call_intended: 'the same from the time it was meant to begin',
  csd_wait: 'csd_lock_wait()',
  queue_to_func:
    'from llist_add() to the first instruction of the function; of a call to itself, from its start',
  func: 'the called function',
} as const;
export type Latency = keyof typeof LATENCIES;

/** Counters, in the order of their codes. */
export const COUNTS = [
  'operations',
  'calls_single',
  'calls_many',
  'calls_queued',
  'ipis_suppressed',
  'ipis_polling',
  'ipis_sent',
  'functions_run',
  'reschedules',
  'dropped',
  'delayed',
  'duplicated',
  'eois_lost',
  'eois_extra',
  'csd_reports',
  'csd_resent',
  'lock_waits',
  'workloads_done',
  'nmis',
  'bus_messages',
  'bus_retries',
  'bus_clocks',
  'idle_wakes',
  'masks_lost',
  'panics',
  'busy',
  'stopped',
  'reordered',
] as const;
export type TimedCounts = Record<(typeof COUNTS)[number], number>;

/** Where a CPU's time goes, in the order of its categories. */
export const CATEGORIES = ['idle', 'user', 'send', 'wait', 'irq', 'irqs_off'] as const;
export type Category = (typeof CATEGORIES)[number];
