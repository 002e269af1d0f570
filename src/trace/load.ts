// The IPI sends of a trace as a load for the timed engine.
import { C } from '../core/memory.js';
import { FUNCS } from '../timed/names.js';
import type { RecordedOperation } from '../timed/recorded.js';
import { parseCsd, parseSend, SEND_EVENTS, TraceParser } from './parse.js';
import type { Survey } from './survey.js';

type Func = RecordedOperation['func'];

/** The function that our cost sets have a number for; others cost as much as an empty one. */
function funcOf(name: string): Func {
  return (FUNCS as readonly string[]).includes(name) ? (name as Func) : 'empty';
}

export class TraceLoad {
  readonly operations: RecordedOperation[] = [];
  /** Sends whose caller is known to wait. */
  waiting = 0;
  readonly #parser: TraceParser;
  readonly #survey: Survey;
  readonly #cpus: number;
  /** What each CPU queued last, from csd_queue_cpu events. */
  readonly #queued = new Map<number, string>();

  constructor(survey: Survey, cpus: number) {
    this.#survey = survey;
    this.#cpus = cpus;
    this.#parser = new TraceParser(survey.format);
  }

  get durationNs(): number {
    return Math.max(1, this.#survey.lastNs - this.#survey.firstNs);
  }

  add(line: string): void {
    if (this.#parser.parse(line) !== 'event') return;
    const { event } = this.#parser;
    if (event.cpu >= this.#cpus) return;
    if (event.name === 'csd_queue_cpu') {
      const queued = parseCsd(event);
      if (queued) this.#queued.set(event.cpu, queued.func);
    } else if (SEND_EVENTS.has(event.name)) {
      const send = parseSend(event, this.#survey.format);
      if (!send?.cpus.length || send.cpus.some((cpu) => cpu >= this.#cpus)) return;
      const ns = event.timeNs - this.#survey.firstNs;
      this.#add({ ns, cpu: event.cpu, targets: send.cpus, ...this.#what(event.cpu, send) });
    }
  }

  /**
   * Who sent it says what it was: a mask is a call of many that waits (TLB flushes, membarrier,
   * text patching all do), ttwu_queue_wakelist() a wakeup; generic_exec_single() isn't known to wait.
   */
  #what(
    from: number,
    send: { kind: 'cpu' | 'mask'; cpus: number[]; callback: string; callsite: string },
  ): Pick<RecordedOperation, 'do' | 'vector' | 'func' | 'wait'> {
    const func = funcOf(this.#queued.get(from) ?? '');
    const none = { vector: 0, func, wait: false };
    if (send.kind === 'mask') return { ...none, do: 'call', wait: true };
    if (send.callback === '') return { ...none, do: 'send', vector: C.VECTOR_RESCHEDULE };
    const generic = send.callback.startsWith('generic_smp_call_function');
    if (!generic && send.cpus[0] === from) return { ...none, do: 'irq_work' };
    if (send.callsite.startsWith('ttwu_queue_wakelist')) {
      return { ...none, do: 'wake', func: 'sched_ttwu_pending' };
    }
    const wait = !send.callsite.startsWith('generic_exec_single');
    return { ...none, do: 'call', wait };
  }

  #add(operation: RecordedOperation): void {
    // A CPU doesn't call itself by IPI.
    const others = operation.targets.filter((cpu) => cpu !== operation.cpu);
    if (operation.do !== 'irq_work' && others.length === 0) return;
    if (operation.wait) this.waiting++;
    this.operations.push(
      operation.do === 'irq_work' ? operation : { ...operation, targets: others },
    );
  }
}
