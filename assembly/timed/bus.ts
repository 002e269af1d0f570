// The serial APIC bus in time: the node after the CPUs. One message at a time; the waiting sender of
// highest arbitration priority goes next. SDM 3A "APIC Bus Arbitration Mechanism and Protocol": the
// winner drops to the lowest priority, everybody below its old one rises. A target without a free slot
// rejects, and the message is sent again.

import { cpus } from '../memory/arena';
import { ICR_DELIVERY, ICR_NMI, ICR_VECTOR } from '../memory/codes';
import { busNode, countBy, counted, me, NEVER, nodeRow, now, self } from './arena';
import {
  COST_BUS_CLOCK,
  CT_BUS_CLOCKS,
  CT_BUS_MESSAGES,
  CT_BUS_RETRIES,
  LOG_REJECTED,
  MSG_BUS,
  MSG_BUS_DONE,
  MSG_IPI,
} from './codes';
import { cost } from './costs';
import { deliverRecord, freeRecord, newRecord, post } from './inbox';
import * as T from './layout';
import { append, listAt, unhook } from './lists';
import { BusMessage, Message, NONE } from './records-message';
import { note } from './stats';

const MESSAGE_CLOCKS: u64 = 21; // bug: a-message-takes-20-clocks
/** The status cycles close the message; the targets have judged it by then. */
const STATUS_CLOCKS: u64 = 2;

let written = changetype<BusMessage>(NONE);
let writtenAt: u64 = NEVER;

/** A new send begins: nothing is grouped with what was written before. */
export function busSend(): void {
  writtenAt = NEVER;
}

/** One target of an ICR write; targets of one write share one message. */
export function busWrite(cpu: u32, low: u32, offset: u64, sent: u64, intended: u64): void {
  const bit: u32 = 1 << cpu;
  if (writtenAt == offset) {
    written.targets |= bit;
    return;
  }
  written = changetype<BusMessage>(newRecord());
  if (written == NONE) return;
  writtenAt = offset;
  written.kind = MSG_BUS;
  written.what = (low & ICR_DELIVERY) == ICR_NMI ? <u32>ICR_NMI : low & ICR_VECTOR;
  written.targets = bit;
  written.sender = self;
  written.sent = sent;
  written.intended = intended;
  written.unused56 = 0;
  me.busWrites++;
  deliverRecord(written, busNode(), offset + cost(COST_BUS_CLOCK));
}

/** At the bus: a sender asks for it. Waiting messages hang at the node, one behind the other. */
export function busAsked(record: Message): void {
  append(listAt(me, T.N_LOCK_WAITERS), record);
  if (me.held == 0) nextMessage();
}

/** Arbitration ids: N_ARB of each CPU's row is the bus's. */
function priority(cpu: u32): u32 {
  return nodeRow(cpu).arbitration;
}

/** Takes the waiting message whose sender has the highest arbitration id. */
function arbitrate(): BusMessage {
  const waiting = listAt(me, T.N_LOCK_WAITERS);
  let best = NONE;
  let bestBefore = NONE;
  let before = NONE;
  let highest: u32 = 0;
  for (let record = waiting.first; record != NONE; record = record.next) {
    const mine = priority(changetype<BusMessage>(record).sender);
    if (best == NONE || mine > highest) {
      best = record;
      bestBefore = before;
      highest = mine;
    }
    before = record;
  }
  if (best != NONE) unhook(waiting, best, bestBefore);
  return changetype<BusMessage>(best);
}

function rotate(winner: u32): void {
  const old = priority(winner);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const row = nodeRow(cpu);
    const mine = row.arbitration;
    if (mine < old) row.arbitration = mine + 1;
  }
  nodeRow(winner).arbitration = 0; // bug: the-bus-winner-keeps-its-priority
}

/** The next message goes over the bus: it reaches its targets before the status cycles. */
function nextMessage(): void {
  const record = arbitrate();
  if (record == NONE) return;
  me.held = 1;
  rotate(record.sender);
  counted(CT_BUS_MESSAGES);
  countBy(CT_BUS_CLOCKS, MESSAGE_CLOCKS);
  const clock = cost(COST_BUS_CLOCK);
  const after = clock * (MESSAGE_CLOCKS - STATUS_CLOCKS);
  for (let bits = record.targets; bits != 0; bits &= bits - 1) {
    const target = ctz<u32>(bits);
    const sent = record.sent;
    post(MSG_IPI, target, after, record.what, record.sender, 1, sent, record.intended, 0);
  }
  // The record stays until the status is known; rejections set bits of N_REPLIES.
  me.queueFirst = record;
  me.replies = 0;
  me.end = now + clock * MESSAGE_CLOCKS;
}

/** A target rejected the message that is on the bus. */
export function busRejected(target: u32): void {
  me.replies |= 1 << target;
}

/** The message on the bus is over. */
export function busStep(): void {
  me.end = NEVER;
  me.held = 0;
  const record = changetype<BusMessage>(me.queueFirst);
  const rejected = me.replies;
  if (rejected != 0) {
    counted(CT_BUS_RETRIES);
    note(LOG_REJECTED, record.what, rejected, record.sender);
    record.targets = rejected;
    busAsked(record);
    return;
  }
  post(MSG_BUS_DONE, record.sender, cost(COST_BUS_CLOCK), 0, 0, 0, 0, 0, 0);
  freeRecord(record);
  nextMessage();
}

/** Highest arbitration id first, as after reset: ids are the APIC ids. */
export function resetBus(): void {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) nodeRow(cpu).arbitration = cpu & 15;
  nodeRow(busNode()).end = NEVER;
}
