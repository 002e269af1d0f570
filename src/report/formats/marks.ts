// The engine's log as marks on one track per CPU: slices that nest, instants, and the flows that lead
// from an IPI's departure to the handler that took it.
import { C, X } from '../../core/memory.js';
import type { TimedEvent } from '../../timed/engine.js';
import { DO, FUNCS } from '../../timed/names.js';
import { vectorName } from '../vectors.js';
import { Reorder } from './reorder.js';

export interface Mark {
  ps: number;
  cpu: number;
  phase: 'begin' | 'end' | 'instant';
  name: string;
  category: string;
  args: Readonly<Record<string, number | string>>;
  /** Flows that leave here (of an instant) or arrive here (of a handler's begin). */
  flows: readonly number[];
}

const OPERATIONS = new Map<number, string>(Object.entries(DO).map(([name, { op }]) => [op, name]));
/** linux' names differ for operations that share a code: the first is the plain one. */
for (const name of ['smp_call_function_many', 'smp_call_function_single'] as const) {
  OPERATIONS.set(DO[name].op, name);
}

type Kind = 'operation' | 'send' | 'wait' | 'interrupt' | 'function' | 'irqs-off';

interface Cpu {
  open: { kind: Kind; name: string }[];
}

/** The marks of a log, by time. @param events by time */
export function marksOf(events: Iterable<TimedEvent>): Generator<Mark> {
  return new Marks().of(events);
}

class Marks {
  /** An IPI's departure is later than the event that tells of it. */
  readonly #marks = new Reorder<Mark>();
  readonly #cpus = new Map<number, Cpu>();
  /** Flows under way by target, vector and source; and those in IRR by target and vector. */
  readonly #flying = new Map<string, { id: number; vector: number }[]>();
  readonly #arrived = new Map<number, number[]>();
  #flows = 0;
  #last = 0;

  /** What is still open at the end ends with the last event. */
  *of(events: Iterable<TimedEvent>): Generator<Mark> {
    for (const event of events) {
      yield* this.#marks.until(event.ps);
      this.#one(event);
    }
    for (const [cpu, { open }] of this.#cpus) {
      while (open.length > 0) {
        const { kind, name } = open.pop()!;
        this.#put(this.#last, cpu, 'end', name, kind, {});
      }
    }
    yield* this.#marks.until(Number.POSITIVE_INFINITY);
  }

  #cpu(cpu: number): Cpu {
    let state = this.#cpus.get(cpu);
    if (!state) {
      state = { open: [] };
      this.#cpus.set(cpu, state);
    }
    return state;
  }

  #put(
    ps: number,
    cpu: number,
    phase: Mark['phase'],
    name: string,
    category: string,
    args: Mark['args'],
    flows: readonly number[] = [],
  ): void {
    if (ps > this.#last) this.#last = ps;
    this.#marks.put(ps, { ps, cpu, phase, name, category, args, flows });
  }

  #begin(
    event: TimedEvent,
    kind: Kind,
    name: string,
    args: Mark['args'] = {},
    flows?: number[],
  ): void {
    this.#cpu(event.cpu).open.push({ kind, name });
    this.#put(event.ps, event.cpu, 'begin', name, kind, args, flows);
  }

  /** Ends the slice on top if it is of this kind. */
  #end(event: TimedEvent, kind: Kind): void {
    const { open } = this.#cpu(event.cpu);
    if (open.at(-1)?.kind !== kind) return;
    const { name } = open.pop()!;
    this.#put(event.ps, event.cpu, 'end', name, kind, {});
  }

  #instant(event: TimedEvent, name: string, args: Mark['args'] = {}): void {
    this.#put(event.ps, event.cpu, 'instant', name, 'event', args);
  }

  #one(event: TimedEvent): void {
    const { kind, a, b, c } = event;
    switch (kind) {
      case X.LOG_OP:
        return this.#begin(event, 'operation', OPERATIONS.get(a) ?? 'operation');
      case X.LOG_OP_DONE:
        this.#end(event, 'wait');
        return this.#end(event, 'operation');
      case X.LOG_SEND:
        return this.#begin(event, 'send', 'send');
      case X.LOG_SEND_DONE:
        return this.#end(event, 'send');
      case X.LOG_IPI_SENT:
        return this.#sent(event);
      case X.LOG_IRR:
      case X.LOG_MERGED:
        return this.#accepted(event);
      case X.LOG_TAKE:
        return this.#taken(event);
      case X.LOG_HANDLER:
        if (a === C.ICR_NMI) this.#begin(event, 'interrupt', 'NMI', { source: b });
        return;
      case X.LOG_HANDLER_DONE:
        return this.#end(event, 'interrupt');
      case X.LOG_FUNC:
        return this.#begin(event, 'function', FUNCS[a] ?? 'function', { source: b });
      case X.LOG_FUNC_DONE:
        return this.#end(event, 'function');
      case X.LOG_QUEUE:
        this.#end(event, 'wait');
        return this.#instant(event, `queue ${FUNCS[a]}`, { target: b });
      case X.LOG_WAIT:
        return this.#begin(event, 'wait', 'csd_lock_wait', { target: b });
      case X.LOG_WAIT_DONE:
        return this.#end(event, 'wait');
      case X.LOG_IRQS_OFF:
        return this.#begin(event, 'irqs-off', 'interrupts off');
      case X.LOG_IRQS_ON:
        return this.#end(event, 'irqs-off');
      case X.LOG_FAULT:
        return this.#fault(event, c);
      case X.LOG_IPI_SUPPRESSED:
        return this.#instant(event, 'no IPI: queue not empty', { target: b });
      case X.LOG_CSD_STUCK:
        return this.#instant(event, 'non-responsive CSD lock', { target: b, waited_ns: c / 1000 });
      case X.LOG_CSD_RESEND:
        return this.#instant(event, 're-sending CSD lock IPI', { target: b });
      case X.LOG_REJECTED:
        return this.#instant(event, `rejected ${vectorName(a)}`, {});
      case X.LOG_STOPPED:
        return this.#instant(event, 'stop_this_cpu', { source: b });
    }
  }

  #sent({ ps, cpu, a, b, c }: TimedEvent): void {
    const id = ++this.#flows;
    const key = `${b} ${cpu}`;
    const flying = this.#flying.get(key);
    if (flying) flying.push({ id, vector: a });
    else this.#flying.set(key, [{ id, vector: a }]);
    const args = { vector: a, target: b };
    this.#put(ps + c, cpu, 'instant', `IPI ${vectorName(a)} to CPU ${b}`, 'ipi', args, [id]);
  }

  #accepted(event: TimedEvent): void {
    const { cpu, a, b, kind } = event;
    const merged = kind === X.LOG_MERGED;
    this.#instant(event, `${merged ? 'merges with' : 'sets'} IRR ${a}`, { source: b });
    const flying = this.#flying.get(`${cpu} ${b}`) ?? [];
    const at = flying.findIndex(({ vector }) => vector === a);
    if (at < 0) return;
    const [flow] = flying.splice(at, 1);
    const key = cpu * 256 + a;
    const arrived = this.#arrived.get(key);
    if (arrived) arrived.push(flow!.id);
    else this.#arrived.set(key, [flow!.id]);
  }

  #taken(event: TimedEvent): void {
    const key = event.cpu * 256 + event.a;
    const flows = this.#arrived.get(key) ?? [];
    this.#arrived.delete(key);
    const args = { vector: event.a, source: event.b };
    this.#begin(event, 'interrupt', vectorName(event.a), args, flows);
  }

  #fault(event: TimedEvent, late: number): void {
    const names = ['drop', 'delay', 'duplicate', 'reorder', 'lost EOI', 'extra EOI', 'no copy'];
    this.#instant(event, `fault: ${names[event.a]}`, late > 0 ? { ns: late / 1000 } : {});
    if (event.a === X.FAULT_DROP) this.#flying.get(`${event.cpu} ${event.b}`)?.shift();
  }
}
