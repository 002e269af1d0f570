// The log as /sys/kernel/tracing/trace shows it. Linux 6.12 include/trace/events/ipi.h, csd.h,
// sched.h and arch/x86/include/asm/trace/irq_vectors.h. Sends that the kernel has no tracepoint for
// (a bare vector, NMIs) are not in it.
import { C, X } from '../../core/memory.js';
import type { TimedEvent } from '../../timed/engine.js';
import { FUNCS } from '../../timed/names.js';
import { Reorder } from './reorder.js';

const GENERIC = 'generic_smp_call_function_single_interrupt+0x0/0x10';
const HANDLERS: Readonly<Record<number, string>> = {
  [C.VECTOR_RESCHEDULE]: 'reschedule',
  [C.VECTOR_CALL_FUNCTION]: 'call_function',
  [C.VECTOR_CALL_FUNCTION_SINGLE]: 'call_function_single',
  [C.VECTOR_IRQ_WORK]: 'irq_work',
  236: 'local_timer',
};
/** Who calls the send, by the operation under way. */
const CALLSITES: Readonly<Record<number, string>> = {
  [X.DO_CALL_MANY]: 'on_each_cpu_cond_mask',
  [X.DO_WAKE]: 'ttwu_queue_wakelist',
  [X.DO_RESCHED]: 'wakeup_preempt',
  [X.DO_IRQ_WORK]: 'irq_work_queue',
  [X.DO_IRQ_WORK_ON]: 'irq_work_queue_on',
};

interface Line {
  ps: number;
  cpu: number;
  text: string;
  flags: string;
}

/** A pointer as the kernel would print it hashed: one for each caller and target. */
function csdOf(from: number, to: number): string {
  return (0x10000000 + from * 0x2000 + to).toString(16).padStart(16, '0');
}

const HEADER = `#
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
`;

/** Pieces of text between two chances for the reader to look around, while lines are counted. */
const COUNTED = 4096;

/**
 * Yields the text in pieces, by time. Microseconds, as the kernel prints them.
 * @param log the events by time; asked for twice, since the header tells how many lines follow
 */
export function* ftraceText(log: () => Iterable<TimedEvent>, cpus: number): Generator<string> {
  const first = new Lines(cpus);
  let count = 0;
  for (const _ of first.of(log())) if (++count % COUNTED === 0) yield '';
  yield `# tracer: nop\n#\n# entries-in-buffer/entries-written: ${count}/${count}   #P:${cpus}\n${HEADER}`;
  for (const { ps, cpu, text, flags } of new Lines(cpus, first.unfinished).of(log())) {
    const us = Math.floor(ps / 1e6);
    const stamp = `${String(Math.floor(us / 1e6)).padStart(5)}.${String(us % 1e6).padStart(6, '0')}`;
    const task = `ipistorm-${String(1000 + cpu).padEnd(7)}`.padStart(24);
    yield `${task} [${String(cpu).padStart(3, '0')}] ${flags} ${stamp}: ${text}\n`;
  }
}

class Lines {
  /** A send's line has the time of its first IPI, and is complete when the send is done. */
  readonly #lines = new Reorder<Line>();
  readonly #cpus: number;
  readonly #operation = new Map<number, number>();
  readonly #sending = new Map<number, TimedEvent[]>();
  readonly #running = new Map<number, string>();
  readonly #never: ReadonlyMap<number, number>;

  /** @param never the sends that an earlier look found unfinished */
  constructor(cpus: number, never: ReadonlyMap<number, number> = new Map()) {
    this.#cpus = cpus;
    this.#never = never;
  }

  *of(events: Iterable<TimedEvent>): Generator<Line> {
    for (const event of events) {
      this.#one(event);
      yield* this.#lines.until(Math.min(event.ps, this.#earliest()));
    }
    yield* this.#lines.until(Number.POSITIVE_INFINITY);
  }

  /** Sends under way at the end of the log, by CPU: nothing has to wait for their lines. */
  get unfinished(): Map<number, number> {
    return new Map([...this.#sending].map(([cpu, sent]) => [cpu, sent[0]?.ps ?? -1]));
  }

  /** When the earliest send under way wrote its first IPI. */
  #earliest(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const [cpu, [first]] of this.#sending) {
      if (first && first.ps < earliest && this.#never.get(cpu) !== first.ps) earliest = first.ps;
    }
    return earliest;
  }

  #put(event: TimedEvent, text: string, flags = 'd.h1.', ps = event.ps): void {
    this.#lines.put(ps, { ps, cpu: event.cpu, text, flags });
  }

  #one(event: TimedEvent): void {
    const { kind, a, b, cpu } = event;
    if (kind === X.LOG_OP) this.#operation.set(cpu, a);
    else if (kind === X.LOG_SEND) this.#sending.set(cpu, []);
    else if (kind === X.LOG_IPI_SENT) this.#sending.get(cpu)?.push(event);
    else if (kind === X.LOG_SEND_DONE) this.#sent(cpu);
    else if (kind === X.LOG_QUEUE) {
      const text = `csd_queue_cpu: cpu=${b} callsite=${this.#callsite(cpu)} func=${FUNCS[a]} csd=${csdOf(cpu, b)}`;
      this.#put(event, text, '...1.');
    } else if (kind === X.LOG_FUNC || kind === X.LOG_FUNC_DONE) this.#func(event);
    else if (kind === X.LOG_HANDLER || kind === X.LOG_HANDLER_DONE) {
      const name = HANDLERS[a];
      if (name)
        this.#put(event, `${name}_${kind === X.LOG_HANDLER ? 'entry' : 'exit'}: vector=${a}`);
    } else if (kind === X.LOG_IPI_POLLING) {
      this.#put(event, `sched_wake_idle_without_ipi: cpu=${b}`, 'd..1.');
    }
  }

  /** A function that a CPU runs for itself has no csd, and no tracepoint. */
  #func(event: TimedEvent): void {
    const { kind, a, b, cpu } = event;
    if (kind === X.LOG_FUNC) {
      const csd = csdOf(b, cpu);
      this.#running.set(cpu, csd);
      return this.#put(event, `csd_function_entry: func=${FUNCS[a]}, csd=${csd}`);
    }
    const csd = this.#running.get(cpu);
    this.#running.delete(cpu);
    if (csd) this.#put(event, `csd_function_exit: func=${FUNCS[a]}, csd=${csd}`);
  }

  #callsite(cpu: number): string {
    return `${CALLSITES[this.#operation.get(cpu) ?? -1] ?? 'generic_exec_single'}+0x0/0x10`;
  }

  /** One tracepoint for each call of the driver; its time is that of the call. */
  #sent(cpu: number): void {
    const sent = this.#sending.get(cpu) ?? [];
    this.#sending.delete(cpu);
    const first = sent[0];
    if (!first || !HANDLERS[first.a] || first.a === 236) return;
    const callsite = this.#callsite(cpu);
    if (first.a === C.VECTOR_CALL_FUNCTION) {
      const text = `ipi_send_cpumask: cpumask=${this.#mask(sent)} callsite=${callsite} callback=${GENERIC}`;
      return this.#put(first, text, 'd..1.');
    }
    const work = first.a === C.VECTOR_IRQ_WORK ? 'rb_wake_up_waiters+0x0/0x10' : GENERIC;
    const callback = first.a === C.VECTOR_RESCHEDULE ? '0x0' : work;
    this.#put(
      first,
      `ipi_send_cpu: cpu=${first.b} callsite=${callsite} callback=${callback}`,
      'd..1.',
    );
  }

  /** 32-bit hex groups, highest first. */
  #mask(sent: readonly TimedEvent[]): string {
    const groups = new Uint32Array(Math.ceil(this.#cpus / 32));
    for (const { b } of sent) groups[b >> 5]! |= 1 << (b & 31);
    const digits = (i: number) =>
      i === groups.length - 1 && this.#cpus % 32 !== 0 ? Math.ceil((this.#cpus % 32) / 4) : 8;
    return Array.from(groups, (group, i) => group.toString(16).padStart(digits(i), '0'))
      .reverse()
      .join(',');
  }
}
