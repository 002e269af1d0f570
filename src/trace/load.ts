// The IPI sends of a trace as a load for the timed engine.
import { C } from '../core/memory.js';
import { FUNCS } from '../timed/names.js';
import type { RecordedOperation } from '../timed/recorded.js';
import { isSend, ROW } from './events.js';
import { isGenericCall } from './fields.js';
import type { Trace } from './trace.js';

type Func = RecordedOperation['func'];

/** The function that our cost sets have a number for; others cost as much as an empty one. */
function funcOf(name: string): Func {
  return (FUNCS as readonly string[]).includes(name) ? (name as Func) : 'empty';
}

export class TraceLoad {
  readonly operations: RecordedOperation[] = [];
  /** Sends whose caller is known to wait. */
  waiting = 0;
  readonly durationNs: number;
  readonly #trace: Trace;
  /** What each CPU queued last. */
  readonly #queued = new Map<number, string>();

  /** @param trace one whose clock counts ns */
  constructor(trace: Trace) {
    this.#trace = trace;
    this.durationNs = Math.max(1, trace.spanNs ?? 0);
    for (let at = 0; at < trace.rows.length; at++) this.#row(trace.row(at));
  }

  #row(row: number): void {
    const { rows } = this.#trace;
    const what = rows.what(row);
    const cpu = rows.cpu(row);
    if (what === ROW.queue) this.#queued.set(cpu, rows.names.text(rows.a(row)));
    else if (what === ROW.queuedCpu || what === ROW.queuedMask)
      this.#queued.set(cpu, rows.names.text(rows.b(row)));
    else if (isSend(what)) this.#send(row, cpu);
  }

  #send(row: number, cpu: number): void {
    const { rows, first } = this.#trace;
    const targets = [...rows.targets(row)];
    if (targets.length === 0) return;
    const send = {
      kind: rows.what(row) === ROW.sendCpu ? ('cpu' as const) : ('mask' as const),
      cpus: targets,
      callback: rows.names.text(rows.b(row)),
      callsite: rows.names.text(rows.c(row)),
    };
    this.#add({ ns: rows.time(row) - first, cpu, targets, ...this.#what(cpu, send) });
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
    const generic = isGenericCall(send.callback);
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
