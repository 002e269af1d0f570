// What kept a CPU from taking a vector whose IRR bit was set: interrupts off, a handler that runs with
// IF=0, or a vector of its class or a higher one in service.
import { X } from '../core/memory.js';
import type { CpuState, TimedEvent } from '../timed/engine.js';
import { FUNCS } from '../timed/names.js';
import { vectorName } from './vectors.js';

export interface Blocked {
  steps: { event: { ps: number; cpu: number }; text: string }[];
  cause: string;
}

interface Doing {
  /** Handlers under way, and whether each has sent its EOI. */
  handlers: { vector: number; since: TimedEvent; func: number }[];
  offSince: TimedEvent | undefined;
  inService: Map<number, TimedEvent>;
  lostEoi: Map<number, TimedEvent>;
}

function advance(doing: Doing, event: TimedEvent): void {
  const { kind, a, b } = event;
  if (kind === X.LOG_TAKE || kind === X.LOG_NMI) {
    if (kind === X.LOG_TAKE) doing.inService.set(a, event);
    doing.handlers.push({ vector: a, since: event, func: -1 });
  } else if (kind === X.LOG_EOI) doing.inService.delete(b);
  else if (kind === X.LOG_FAULT && a === X.FAULT_LOST_EOI) doing.lostEoi.set(b, event);
  else if (kind === X.LOG_HANDLER_DONE) doing.handlers.pop();
  else if (kind === X.LOG_IRQS_OFF) doing.offSince = event;
  else if (kind === X.LOG_IRQS_ON) doing.offSince = undefined;
  else if (kind === X.LOG_FUNC && doing.handlers.length > 0) doing.handlers.at(-1)!.func = a;
}

/**
 * @param own the CPU's log, by time
 * @param from when IRR was set, ps
 * @param taken when the CPU took the vector; none: it never did
 */
export function blockers(
  own: readonly TimedEvent[],
  from: number,
  taken: number | undefined,
  vector: number,
  state: CpuState,
): Blocked {
  const doing: Doing = {
    handlers: [],
    offSince: undefined,
    inService: new Map(),
    lostEoi: new Map(),
  };
  const steps: Blocked['steps'] = [];
  let at = 0;
  for (; at < own.length && own[at]!.ps <= from; at++) advance(doing, own[at]!);
  const first = reason(doing, vector, state, taken === undefined);
  if (first) steps.push({ event: first.event, text: first.text });
  for (; at < own.length && own[at]!.ps <= (taken ?? Number.POSITIVE_INFINITY); at++) {
    advance(doing, own[at]!);
    const event = own[at]!;
    if (event.kind === X.LOG_IRQS_ON) steps.push({ event, text: 'interrupts are on again' });
  }
  if (first) return { steps, cause: first.cause };
  if (taken !== undefined) return { steps, cause: 'the target was free to take it' };
  const last = reason(doing, vector, state, true);
  if (last) steps.push({ event: last.event, text: last.text });
  return { steps, cause: last?.cause ?? 'the target has not taken the vector yet' };
}

function reason(
  doing: Doing,
  vector: number,
  state: CpuState,
  never: boolean,
): { event: TimedEvent; text: string; cause: string } | undefined {
  if (doing.offSince) {
    const event = doing.offSince;
    const dead = never && state.dead;
    return {
      event,
      text: dead ? 'answers nothing from here on (fault)' : 'its interrupts are off (IF=0)',
      cause: dead ? 'the target is dead' : 'the target had its interrupts off',
    };
  }
  const handler = doing.handlers.at(-1);
  if (handler) {
    const what = handler.func >= 0 ? `, in ${FUNCS[handler.func]}()` : '';
    const text = `is in the handler of ${vectorName(handler.vector)}${what}, with IF=0`;
    return {
      event: handler.since,
      text,
      cause: `the target was in the handler of ${vectorName(handler.vector)}${what}, which runs with interrupts off`,
    };
  }
  const blocking = [...doing.inService.keys()].filter((v) => v >> 4 >= vector >> 4);
  const top = blocking.length > 0 ? Math.max(...blocking) : -1;
  if (top < 0) return undefined;
  const lost = doing.lostEoi.get(top);
  const event = lost ?? doing.inService.get(top)!;
  const why = lost ? ', whose handler lost its EOI' : '';
  return {
    event,
    text: `${vectorName(top)} stays in service${why}: PPR is 0x${(top & 0xf0).toString(16)}, class ${vector >> 4} is blocked`,
    cause: `vector ${top} is in service${why}: its ISR bit blocks every vector of class ${top >> 4} and below`,
  };
}
