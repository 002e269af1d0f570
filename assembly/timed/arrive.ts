// An interrupt message reaches a CPU: a fault may strike it, the local APIC accepts it into IRR, an NMI is
// taken at once.

import { hasSerialBus } from '../bus/serial';
import { Lapic } from '../lapic/lapic';
import { reject, wouldReject } from '../lapic/row';
import { EVENT_NMI, ICR_NMI } from '../memory/codes';
import { coldRow, irrOf, row } from '../memory/rows';
import { note as noteEvent } from '../record/hash';
import { busNode, counted, me, now, self, slotOf } from './arena';
import {
  COST_BUS_CLOCK,
  CT_DELAYED,
  CT_DROPPED,
  CT_DUPLICATED,
  CT_NMIS,
  CT_REORDERED,
  FAULT_DELAY,
  FAULT_DROP,
  FAULT_DUPLICATE,
  FAULT_REORDER,
  HIST_SEND_TO_IRR,
  LOG_FAULT,
  LOG_IRR,
  LOG_MERGED,
  LOG_NMI,
  LOG_REJECTED,
  MSG_BUS_STATUS,
  MSG_IPI,
} from './codes';
import { cost } from './costs';
import { faultDelay, faultKind, struckMessage } from './faults';
import { enter } from './handler';
import { post } from './inbox';
import { Ipi } from './records-message';
import { note, record } from './stats';

const REPEATED: u32 = 2;
const HELD: u32 = 4;

/** MSG_IPI: the local APIC accepts the message, unless a fault strikes it. */
export function ipiArrives(message: Ipi): void {
  const what = message.what;
  const source = message.sender;
  const flags = message.flags;
  if ((flags & REPEATED) == 0 && strike(message, what, source, flags)) return;
  if ((flags & HELD) != 0) return releaseHeld();
  arrives(what, source, message.sent, message.intended);
  if (me.heldBack != 0) releaseHeld();
}

/** What a fault does to a message; true when the message itself doesn't arrive now. */
function strike(message: Ipi, what: u32, source: u32, flags: u32): bool {
  const fault = struckMessage(source, what);
  if (fault < 0) return false;
  const kind = faultKind(fault);
  if (kind == <u32>FAULT_REORDER && me.heldBack != 0) return false;
  note(LOG_FAULT, kind, source, faultDelay(fault));
  if (kind == <u32>FAULT_DROP) {
    counted(CT_DROPPED);
    return true; // bug: a-dropped-message-arrives
  }
  const t0 = message.sent;
  const t1 = message.intended;
  const held = kind == <u32>FAULT_REORDER;
  counted(kind == <u32>FAULT_DELAY ? CT_DELAYED : held ? CT_REORDERED : CT_DUPLICATED);
  const again = flags | REPEATED | (held ? HELD : 0);
  post(MSG_IPI, self, faultDelay(fault), what, source, again, t0, t1, 0);
  if (held) {
    me.heldBack = what + 1;
    me.heldSource = source;
    me.heldSent = t0;
    me.heldIntended = t1;
  }
  return kind != <u32>FAULT_DUPLICATE;
}

/** The message held back arrives: right behind the next one, or after the fault's delay. */
function releaseHeld(): void {
  const held = me.heldBack;
  if (held == 0) return;
  me.heldBack = 0;
  const source = me.heldSource;
  arrives(held - 1, source, me.heldSent, me.heldIntended);
}

function arrives(what: u32, source: u32, sent: u64, intended: u64): void {
  if (what == <u32>ICR_NMI) nmiArrives(source);
  else vectorArrives(what, source, sent, intended);
}

function vectorArrives(vector: u32, source: u32, sent: u64, intended: u64): void {
  if (hasSerialBus() && wouldReject(self, vector)) {
    reject(self, vector);
    row(self).attempted++;
    note(LOG_REJECTED, vector, source, 0);
    return post(MSG_BUS_STATUS, busNode(), cost(COST_BUS_CLOCK), self, 0, 0, 0, 0, 0);
  }
  const slot = slotOf(self, vector);
  const pending = irrBit(vector);
  Lapic.accept(self, vector, false);
  record(HIST_SEND_TO_IRR, now - sent);
  if (pending) {
    slot.merged++;
    return note(LOG_MERGED, vector, source, sent);
  }
  slot.sent = sent;
  slot.intended = intended;
  slot.accepted = now;
  slot.source = source;
  note(LOG_IRR, vector, source, sent);
}

function irrBit(vector: u32): bool {
  return irrOf(self).has(vector);
}

function nmiArrives(source: u32): void {
  coldRow(self).nmis++;
  noteEvent(row(self), EVENT_NMI, 2);
  counted(CT_NMIS);
  note(LOG_NMI, 0, source, 0);
  if (me.inNmi != 0 || me.dead != 0) return;
  me.inNmi = 1;
  enter(ICR_NMI, source, now);
}
