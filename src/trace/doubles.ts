// Sends that a trace prints twice.
import { isSend, ROW } from './events.js';
import { isGenericCall } from './fields.js';
import type { Trace } from './trace.js';

/** Ours: one send's two records are much closer, two sends of a CPU rarely as close. */
const NEAR_NS = 100_000;
/** Ours: an interrupt between the queued call and its IPI sends a few. */
const LOOK_BACK = 6;

/**
 * Which sends are records of a queued call rather than IPIs. Linux 6.4 __smp_call_single_queue() and
 * smp_call_function_many_cond() print the queued call with its function, and the IPI, if one is needed,
 * with generic_smp_call_function_single_interrupt().
 */
export function markDoubles(trace: Trace): void {
  const { rows } = trace;
  const pairs = new Pairs(trace);
  for (let at = 0; at < rows.length; at++) {
    const row = trace.row(at);
    if (isSend(rows.what(row))) pairs.add(row);
    else pairs.other(rows.cpu(row));
  }
  const { queued, paired, ipis } = pairs;
  if (paired === 0 || paired * 2 < ipis) return;
  for (const row of queued)
    rows.retype(row, rows.what(row) === ROW.sendCpu ? ROW.queuedCpu : ROW.queuedMask);
  trace.doubles += paired;
  trace.queuedOnly = queued.length - paired;
}

class Pairs {
  /** Records that look like queued calls. */
  readonly queued: number[] = [];
  /** IPIs of calls, and those with such a record before them. */
  ipis = 0;
  paired = 0;
  readonly #trace: Trace;
  /** Each CPU's last row, if it is a send. */
  readonly #last = new Map<number, number>();
  /** Each CPU's last queued calls without an IPI yet. */
  readonly #open = new Map<number, { row: number; sends: number }[]>();

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** Something else happened on the CPU. */
  other(cpu: number): void {
    this.#last.delete(cpu);
  }

  add(row: number): void {
    const { rows } = this.#trace;
    const cpu = rows.cpu(row);
    const before = this.#last.get(cpu);
    this.#last.set(cpu, row);
    const callback = rows.names.text(rows.b(row));
    const open = (this.#open.get(cpu) ?? []).filter((call) => call.sends++ < LOOK_BACK);
    this.#open.set(cpu, open);
    if (before !== undefined && this.#same(before, row)) {
      rows.retype(rows.what(row) === ROW.sendMask ? row : before, ROW.queuedMask);
      this.#trace.doubles++;
    } else if (isGenericCall(callback)) {
      this.ipis++;
      const at = open.findLastIndex((call) => this.#covers(call.row, row));
      if (at >= 0) this.paired++;
      if (at >= 0) open.splice(at, 1);
    } else if (callback !== '' && !(rows.what(row) === ROW.sendCpu && rows.a(row) === cpu)) {
      this.queued.push(row);
      open.push({ row, sends: 0 });
    }
  }

  /** ipi_send_cpu and ipi_send_cpumask of just that CPU, one after the other, for the same reason. */
  #same(a: number, b: number): boolean {
    const { rows } = this.#trace;
    const [cpu, mask] = rows.what(a) === ROW.sendCpu ? [a, b] : [b, a];
    return (
      rows.what(cpu) === ROW.sendCpu &&
      rows.what(mask) === ROW.sendMask &&
      rows.b(cpu) === rows.b(mask) &&
      rows.targetCount(mask) === 1 &&
      rows.targets(mask)[0] === rows.a(cpu) &&
      !(Math.abs(rows.time(a) - rows.time(b)) > NEAR_NS)
    );
  }

  #covers(queue: number, ipi: number): boolean {
    const { rows } = this.#trace;
    const queued = new Set(rows.targets(queue));
    return rows.targets(ipi).every((cpu) => queued.has(cpu));
  }
}
