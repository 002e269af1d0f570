// Which sends a trace can follow to their handler: not those of vectors without handler events,
// before the first handler event, before a CPU's buffer begins, or where events were lost.
import { C } from '../core/memory.js';
import { ROW } from './events.js';
import type { Gap } from './losses.js';
import type { Trace } from './trace.js';

const SLOTS: readonly number[] = [
  C.VECTOR_RESCHEDULE,
  C.VECTOR_CALL_FUNCTION,
  C.VECTOR_CALL_FUNCTION_SINGLE,
  C.VECTOR_IRQ_WORK,
];

/** Why nobody can say whether a handler took an IPI or it merged with the next. */
export const UNSEEN = {
  /** No handler event had been seen yet. */
  early: 2,
  /** Events of its CPU are missing there. */
  gap: 3,
  /** The trace has no handler events of its vector. */
  vector: 4,
  /** A handler event just before it had no send: it may be this one's, stamped by another clock. */
  skew: 5,
} as const;
const [NONE, PENDING] = [0, 1] as const;
/** Ours: trace_clock local drifts by microseconds between CPUs. */
const SKEW_NS = 1e6;

export class Watch {
  /** Sends whose fate is not in the trace, by the reason. */
  readonly unseen: Record<keyof typeof UNSEEN, number> = {
    early: 0,
    gap: 0,
    vector: 0,
    skew: 0,
  };
  /** IPIs sent before the first handler entry. */
  early = 0;
  readonly #trace: Trace;
  readonly #cpus: number;
  readonly #state: Uint8Array;
  /** Place at which the stretch without a CPU's events ends. */
  readonly #blindUntil: Float64Array;
  readonly #gaps: Gap[];
  /** Until when a send may belong to a handler event before it, by CPU and slot. */
  readonly #owed: Float64Array;
  readonly #firstEntry: number;
  #at = 0;
  #gap = 0;

  constructor(trace: Trace, cpus: number) {
    this.#trace = trace;
    this.#cpus = cpus;
    this.#state = new Uint8Array(cpus * SLOTS.length);
    this.#blindUntil = new Float64Array(cpus);
    this.#owed = new Float64Array(cpus * SLOTS.length).fill(Number.NaN);
    this.#firstEntry = firstEntry(trace);
    this.#gaps = places(trace).sort((a, b) => a.from - b.from);
  }

  /** Goes on to place `at` in time. */
  reach(at: number): void {
    this.#at = at;
    for (; this.#gap < this.#gaps.length && this.#gaps[this.#gap]!.from <= at; this.#gap++) {
      const { cpu, to } = this.#gaps[this.#gap]!;
      if (cpu >= 0) this.#blind(cpu, to);
      else for (let each = 0; each < this.#cpus; each++) this.#blind(each, to);
    }
  }

  #blind(cpu: number, until: number): void {
    if (cpu >= this.#cpus) return;
    this.#blindUntil[cpu] = Math.max(this.#blindUntil[cpu]!, until);
    for (let slot = 0; slot < SLOTS.length; slot++) {
      const i = cpu * SLOTS.length + slot;
      if (this.#state[i] === PENDING) this.#state[i] = UNSEEN.gap;
    }
  }

  /** Whether events may be missing before here. */
  get lossy(): boolean {
    return this.#gap > 0 || this.#trace.losses.overwritten > 0;
  }

  #watched(vector: number): boolean {
    const { vectorsHandled } = this.#trace;
    return vectorsHandled.has(vector) || (isCall(vector) && vectorsHandled.has(-1));
  }

  get notObserved(): number {
    const { early, gap, vector, skew } = this.unseen;
    return early + gap + vector + skew;
  }

  /** Why a send to `cpu` now can't be followed; PENDING when it can. */
  #sight(cpu: number, vector: number, time: number, i: number): number {
    if (!this.#watched(vector)) return UNSEEN.vector;
    if (this.#at < this.#firstEntry) return UNSEEN.early;
    if (this.#at < this.#blindUntil[cpu]! || !this.#trace.losses.has(cpu)) return UNSEEN.gap;
    const owed = time <= this.#owed[i]!;
    this.#owed[i] = Number.NaN;
    return owed ? UNSEEN.skew : PENDING;
  }

  #count(state: number): void {
    if (state === UNSEEN.early) this.unseen.early++;
    else if (state === UNSEEN.vector) this.unseen.vector++;
    else if (state === UNSEEN.skew) this.unseen.skew++;
    else this.unseen.gap++;
  }

  /**
   * `vector` is about to be sent to `cpu`. True: an earlier one still pending there must be taken
   * out first, because the trace can't say that it was not handled.
   */
  sending(cpu: number, vector: number, time: number): boolean {
    if (this.#at < this.#firstEntry) this.early++;
    const i = cpu * SLOTS.length + SLOTS.indexOf(vector);
    const now = this.#sight(cpu, vector, time, i);
    const before = this.#state[i]!;
    this.#state[i] = now;
    const forget = before > PENDING || (before === PENDING && now > PENDING);
    if (forget) this.#count(before > PENDING ? before : now);
    return forget;
  }

  /** A handler begins on `cpu`: of `vector`, or with -1 of either call function. Which is taken. */
  taking(cpu: number, vector: number): number {
    const index = (v: number) => cpu * SLOTS.length + SLOTS.indexOf(v);
    const single = this.#state[index(C.VECTOR_CALL_FUNCTION_SINGLE)] !== NONE;
    const both = single ? C.VECTOR_CALL_FUNCTION_SINGLE : C.VECTOR_CALL_FUNCTION;
    const taken = vector < 0 ? both : vector;
    this.#state[index(taken)] = NONE;
    return taken;
  }

  /** A handler event at `time` had no send. */
  unexplained(cpu: number, vector: number, time: number): void {
    this.#owed[cpu * SLOTS.length + SLOTS.indexOf(vector)] = time + SKEW_NS;
  }

  /** The trace ends: what is pending, but may have been handled unseen. */
  end(): { cpu: number; vector: number }[] {
    const unsure: { cpu: number; vector: number }[] = [];
    this.#state.forEach((state, i) => {
      if (state <= PENDING) return;
      this.#count(state);
      unsure.push({ cpu: Math.floor(i / SLOTS.length), vector: SLOTS[i % SLOTS.length]! });
    });
    return unsure;
  }
}

function isCall(vector: number): boolean {
  return vector === C.VECTOR_CALL_FUNCTION || vector === C.VECTOR_CALL_FUNCTION_SINGLE;
}

/** Place of the first handler entry; past the end without one. */
function firstEntry(trace: Trace): number {
  const { rows } = trace;
  for (let at = 0; at < rows.length; at++) {
    if (rows.what(trace.row(at)) === ROW.entry) return at;
  }
  return rows.length;
}

/** The stretches without events, in places of time instead of the file's rows. */
function places(trace: Trace): Gap[] {
  const { order, losses } = trace;
  if (!order) return [...losses.gaps];
  const place = new Uint32Array(order.length + 1);
  order.forEach((row, at) => {
    place[row] = at;
  });
  place[order.length] = order.length;
  return losses.gaps.map(({ cpu, from, to }) => ({
    cpu,
    from: from === 0 ? 0 : place[from - 1]! + 1,
    to: place[Math.min(to, order.length)]!,
  }));
}
