// The serial APIC bus in time: the node after the CPUs. One message at a time; the waiting sender of
// highest arbitration priority goes next. SDM 3A "APIC Bus Arbitration Mechanism and Protocol": the
// winner drops to the lowest priority, everybody below its old one rises. A target without a free slot
// rejects, and the message is sent again.
import { cpus } from '../memory/arena';
import { ICR_DELIVERY, ICR_NMI, ICR_VECTOR } from '../memory/codes';
import { at, busNode, countBy, counted, NEVER, nodeRow, now, self } from './arena';
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
import { tell } from './stats';

const MESSAGE_CLOCKS: u64 = 21;
/** The status cycles close the message; the targets have judged it by then. */
const STATUS_CLOCKS: u64 = 2;

let written: usize = 0;
let writtenAt: u64 = NEVER;

/** A new send begins: nothing is grouped with what was written before. */
export function busSend(): void {
  writtenAt = NEVER;
}

/** One target of an ICR write; targets of one write share one message. */
export function busWrite(cpu: u32, low: u32, offset: u64, sent: u64, intended: u64): void {
  const bit: u32 = 1 << cpu;
  if (writtenAt == offset) {
    store<u32>(written, load<u32>(written, T.M_B) | bit, T.M_B);
    return;
  }
  written = newRecord();
  if (written == 0) return;
  writtenAt = offset;
  store<u32>(written, MSG_BUS, T.M_KIND);
  store<u32>(written, (low & ICR_DELIVERY) == ICR_NMI ? <u32>ICR_NMI : low & ICR_VECTOR, T.M_A);
  store<u32>(written, bit, T.M_B);
  store<u32>(written, self, T.M_C);
  store<u64>(written, sent, T.M_T0);
  store<u64>(written, intended, T.M_T1);
  store<u64>(written, 0, T.M_D);
  store<u32>(at, load<u32>(at, T.N_BUS_WRITES) + 1, T.N_BUS_WRITES);
  deliverRecord(written, busNode(), offset + cost(COST_BUS_CLOCK));
}

/** At the bus: a sender asks for it. Waiting messages hang at the node, one behind the other. */
export function busAsked(record: usize): void {
  store<u32>(record, 0, T.M_NEXT);
  const last = <usize>load<u32>(at, T.N_LOCK_LAST);
  if (last == 0) store<u32>(at, <u32>record, T.N_LOCK_WAITERS);
  else store<u32>(last, <u32>record, T.M_NEXT);
  store<u32>(at, <u32>record, T.N_LOCK_LAST);
  if (load<u32>(at, T.N_LOCK_HELD) == 0) nextMessage();
}

/** Arbitration ids: N_ARB of each CPU's row is the bus's. */
function priority(cpu: u32): u32 {
  return load<u32>(nodeRow(cpu), T.N_ARB);
}

/** The waiting message whose sender has the highest arbitration id. */
function arbitrate(): usize {
  let best: usize = 0;
  let bestBefore: usize = 0;
  let before: usize = 0;
  for (let record = <usize>load<u32>(at, T.N_LOCK_WAITERS); record != 0; ) {
    const mine = priority(load<u32>(record, T.M_C));
    if (best == 0 || mine > priority(load<u32>(best, T.M_C))) {
      best = record;
      bestBefore = before;
    }
    before = record;
    record = <usize>load<u32>(record, T.M_NEXT);
  }
  if (best == 0) return 0;
  const next = load<u32>(best, T.M_NEXT);
  if (bestBefore == 0) store<u32>(at, next, T.N_LOCK_WAITERS);
  else store<u32>(bestBefore, next, T.M_NEXT);
  if (load<u32>(at, T.N_LOCK_LAST) == <u32>best) store<u32>(at, <u32>bestBefore, T.N_LOCK_LAST);
  return best;
}

function rotate(winner: u32): void {
  const old = priority(winner);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const row = nodeRow(cpu);
    const mine = load<u32>(row, T.N_ARB);
    if (mine < old) store<u32>(row, mine + 1, T.N_ARB);
  }
  store<u32>(nodeRow(winner), 0, T.N_ARB);
}

/** The next message goes over the bus: it reaches its targets before the status cycles. */
function nextMessage(): void {
  const record = arbitrate();
  if (record == 0) return;
  store<u32>(at, 1, T.N_LOCK_HELD);
  rotate(load<u32>(record, T.M_C));
  counted(CT_BUS_MESSAGES);
  countBy(CT_BUS_CLOCKS, MESSAGE_CLOCKS);
  const clock = cost(COST_BUS_CLOCK);
  const after = clock * (MESSAGE_CLOCKS - STATUS_CLOCKS);
  for (let bits = load<u32>(record, T.M_B); bits != 0; bits &= bits - 1) {
    const a = load<u32>(record, T.M_A);
    const sender = load<u32>(record, T.M_C);
    post(
      MSG_IPI,
      ctz<u32>(bits),
      after,
      a,
      sender,
      1,
      load<u64>(record, T.M_T0),
      load<u64>(record, T.M_T1),
      0,
    );
  }
  // The record stays until the status is known; rejections set bits of N_REPLIES.
  store<u32>(at, <u32>record, T.N_QUEUE);
  store<u32>(at, 0, T.N_REPLIES);
  store<u64>(at, now + clock * MESSAGE_CLOCKS, T.N_END);
}

/** A target rejected the message that is on the bus. */
export function busRejected(target: u32): void {
  store<u32>(at, load<u32>(at, T.N_REPLIES) | (1 << target), T.N_REPLIES);
}

/** The message on the bus is over. */
export function busStep(): void {
  store<u64>(at, NEVER, T.N_END);
  store<u32>(at, 0, T.N_LOCK_HELD);
  const record = <usize>load<u32>(at, T.N_QUEUE);
  const rejected = load<u32>(at, T.N_REPLIES);
  if (rejected != 0) {
    counted(CT_BUS_RETRIES);
    tell(LOG_REJECTED, load<u32>(record, T.M_A), rejected, load<u32>(record, T.M_C));
    store<u32>(record, rejected, T.M_B);
    busAsked(record);
    return;
  }
  post(MSG_BUS_DONE, load<u32>(record, T.M_C), cost(COST_BUS_CLOCK), 0, 0, 0, 0, 0, 0);
  freeRecord(record);
  nextMessage();
}

/** Highest arbitration id first, as after reset: ids are the APIC ids. */
export function resetBus(): void {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) store<u32>(nodeRow(cpu), cpu & 15, T.N_ARB);
  store<u64>(nodeRow(busNode()), NEVER, T.N_END);
}
