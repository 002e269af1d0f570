// What may go wrong with a chosen or a random message, and with EOIs. A fault counts the messages that
// match it at each target, so that its choice depends on no other CPU.

import { inTimed, me, now, self, timed } from './arena';
import { FAULT_DROP, FAULT_REORDER } from './codes';
import { draw } from './costs';
import * as T from './layout';
import { Fault } from './records';

function faultAt(index: u32): Fault {
  return changetype<Fault>(inTimed(T.TM_FAULTS, (<usize>index) << T.FAULT_SHIFT));
}

/** Whether fault `index` strikes; `source` and `what` are a CPU and a vector or 0x400. */
function strikes(index: u32, source: u32, what: u32): bool {
  const fault = faultAt(index);
  const from = fault.from;
  const to = fault.to;
  const vector = fault.vector;
  if (from != 0 && from != source + 1) return false;
  if (to != 0 && to != self + 1) return false;
  if (vector != 0 && vector != what + 1) return false;
  if (now < fault.at) return false;
  const nth = fault.nth;
  if (nth == 0) return draw() >> 32 < fault.chance;
  const slot = changetype<usize>(me) + ((<usize>index) << 2);
  const seen = load<u32>(slot, T.N_SEEN) + 1;
  store<u32>(slot, seen, T.N_SEEN);
  return seen - nth < fault.count;
}

/** The first fault among those of kinds `from` to `to` that strikes, or -1. */
export function struck(from: u32, to: u32, source: u32, what: u32): i32 {
  const count = timed.faultCount;
  for (let index: u32 = 0; index < count; index++) {
    const kind = faultAt(index).kind;
    if (kind >= from && kind <= to && strikes(index, source, what)) return index;
  }
  return -1;
}

/** Of a message that arrives: FAULT_DROP, _DELAY, _DUPLICATE or _REORDER's fault, or -1. */
export function struckMessage(source: u32, what: u32): i32 {
  return struck(FAULT_DROP, FAULT_REORDER, source, what);
}

export function faultKind(index: u32): u32 {
  return faultAt(index).kind;
}

export function faultDelay(index: u32): u64 {
  return faultAt(index).delay;
}
