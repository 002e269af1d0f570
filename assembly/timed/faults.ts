// What may go wrong with a chosen or a random message, and with EOIs. A fault counts the messages that
// match it at each target, so that its choice depends on no other CPU.
import { at, now, self, timed } from './arena';
import { FAULT_DROP, FAULT_REORDER } from './codes';
import { draw } from './costs';
import * as T from './layout';

function faultAt(index: u32): usize {
  return timed + T.TM_FAULTS + ((<usize>index) << T.FAULT_SHIFT);
}

/** Whether fault `index` strikes; `source` and `what` are a CPU and a vector or 0x400. */
function strikes(index: u32, source: u32, what: u32): bool {
  const fault = faultAt(index);
  const from = load<u32>(fault, T.FT_FROM);
  const to = load<u32>(fault, T.FT_TO);
  const vector = load<u32>(fault, T.FT_VECTOR);
  if (from != 0 && from != source + 1) return false;
  if (to != 0 && to != self + 1) return false;
  if (vector != 0 && vector != what + 1) return false;
  if (now < load<u64>(fault, T.FT_AT)) return false;
  const nth = load<u32>(fault, T.FT_NTH);
  if (nth == 0) return draw() >> 32 < load<u64>(fault, T.FT_CHANCE);
  const slot = at + ((<usize>index) << 2);
  const seen = load<u32>(slot, T.N_SEEN) + 1;
  store<u32>(slot, seen, T.N_SEEN);
  return seen - nth < load<u32>(fault, T.FT_COUNT);
}

/** The first fault among those of kinds `from` to `to` that strikes, or -1. */
export function struck(from: u32, to: u32, source: u32, what: u32): i32 {
  const count = load<u32>(timed, T.TM_FAULT_COUNT);
  for (let index: u32 = 0; index < count; index++) {
    const kind = load<u32>(faultAt(index), T.FT_KIND);
    if (kind >= from && kind <= to && strikes(index, source, what)) return index;
  }
  return -1;
}

/** Of a message that arrives: FAULT_DROP, _DELAY, _DUPLICATE or _REORDER's fault, or -1. */
export function struckMessage(source: u32, what: u32): i32 {
  return struck(FAULT_DROP, FAULT_REORDER, source, what);
}

export function faultKind(index: u32): u32 {
  return load<u32>(faultAt(index), T.FT_KIND);
}

export function faultDelay(index: u32): u64 {
  return load<u64>(faultAt(index), T.FT_DELAY);
}
