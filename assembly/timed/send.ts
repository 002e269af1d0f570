// One call of struct apic in time. Linux's own driver code runs (assembly/linux); its ledger of writes,
// fences and cpumask words, priced, says when each message leaves. From the first fence to the last
// write nothing interrupts: the mask paths disable interrupts, a single x2APIC send is one write.

import {
  closeOutbox,
  emptyOutbox,
  entryAt,
  markOf,
  OutboxEntry,
  openOutbox,
  outboxCount,
} from '../bus/outbox';
import { hasSerialBus } from '../bus/serial';
import { clearMask } from '../linux/cpumask';
import * as driver from '../linux/driver';
import { manyWaitsBySentMask } from '../linux/era';
import * as smp from '../linux/smp';
import { maskArg, maskWords } from '../memory/arena';
import {
  ICR_DELIVERY,
  ICR_LOGICAL,
  ICR_NMI,
  ICR_SHORTHAND,
  ICR_VECTOR,
  OP_ALLBUTSELF,
  OP_CALL_MANY,
  OP_CALL_SINGLE,
  OP_IRQ_WORK,
  OP_MASK,
  OP_RESCHEDULE,
  OP_SELF,
} from '../memory/codes';
import * as L from '../memory/layout';
import { ledger } from '../memory/records';
import { counted, cpuMask, inTimed, Mask, me, now, self } from './arena';
import { busSend, busWrite } from './bus';
import {
  CAT_SEND,
  COST_EXIT_MULTICAST,
  COST_EXIT_UNICAST,
  COST_FENCE,
  COST_FENCE_PER_STORE,
  COST_HYPERCALL,
  COST_ICR_IDLE_POLL,
  COST_ICR_WRITE,
  COST_IRQ_SAVE,
  COST_MASK_COPY,
  COST_MASK_CPU,
  COST_MASK_WORD,
  COST_PER_TARGET,
  COST_SEND_SETUP,
  CT_COPY_LOST,
  CT_IPIS,
  FAULT_NO_COPY,
  HIST_SEND,
  LOG_FAULT,
  LOG_IPI_SENT,
  LOG_SEND,
  LOG_SEND_DONE,
  MSG_IPI,
  PROC_SEND,
} from './codes';
import { cost, wire } from './costs';
import { struck } from './faults';
import { call, goOn, pop, wait } from './frame';
import { post } from './inbox';
import * as T from './layout';
import { Frame, SendFrame } from './records-frame';
import { note, noteSent, record } from './stats';
import { Send } from './steps';

// The send under way. Prices are drawn once per call.
let offset: u64 = 0;
let intended: u64 = 0;
let begun: u64 = 0;

/** The ledger that is being looked at: a mark of the outbox, or the sender's own. */
let books: usize = L.L_SENDS;

/** What a ledger entry has grown by since the last look. */
function grown(entry: usize): u64 {
  const seen = inTimed(T.TM_SEEN, entry - L.L_SENDS);
  const value = load<u64>(books + (entry - L.L_SENDS));
  const delta = value - load<u64>(seen);
  store<u64>(seen, value);
  return delta;
}

function price(id: u32, times: u64): void {
  if (times != 0) offset += cost(id) * times;
}

/** Adds what the driver has done since the last look. `low` of the write that is being delivered. */
function priceLedger(low: u32): void {
  price(COST_MASK_WORD, grown(L.L_MASK_WORDS));
  price(COST_MASK_COPY, grown(L.L_MASK_COPIES));
  price(COST_IRQ_SAVE, grown(L.L_IRQ_SAVES));
  price(COST_ICR_IDLE_POLL, grown(L.L_IDLE_POLLS));
  price(COST_ICR_WRITE, grown(L.L_ICR2_WRITES));
  const fences = grown(L.L_FENCES);
  if (fences != 0) {
    const stores = me.pendingStores;
    me.pendingStores = 0;
    offset += fences * cost(COST_FENCE) + cost(COST_FENCE_PER_STORE) * stores;
  }
  const writes = grown(L.L_ICR_WRITES);
  if (writes != 0) {
    price(COST_ICR_WRITE, writes);
    const many = (low & (ICR_LOGICAL | ICR_SHORTHAND)) != 0;
    const selfWrites = grown(L.L_SELF_IPI_WRITES);
    price(many ? COST_EXIT_MULTICAST : COST_EXIT_UNICAST, writes - selfWrites);
  }
  price(COST_HYPERCALL, grown(L.L_HYPERCALLS));
}

/** A message that the driver has sent leaves now, and arrives later. */
function depart(entry: OutboxEntry): void {
  const cpu = entry.cpu;
  const low = entry.low;
  books = markOf(entry);
  priceLedger(low);
  counted(CT_IPIS);
  noteSent(cpu);
  const nmi = (low & ICR_DELIVERY) == ICR_NMI;
  const what = nmi ? <u32>ICR_NMI : low & ICR_VECTOR;
  note(LOG_IPI_SENT, what, cpu, offset);
  if (hasSerialBus()) busWrite(cpu, low, offset, begun, intended);
  else post(MSG_IPI, cpu, offset + wire(cpu), what, self, 0, begun, intended, 0);
  offset += cost(COST_PER_TARGET) + cost(COST_MASK_CPU); // bug: a-mask-send-costs-one-target
}

/** Calls PROC_SEND; the caller goes on at `pc`. `op` is a sender's operation of codes.ts. */
export function callSend(caller: Frame, pc: u32, op: u32, to: u32, vector: u32, meant: u64): void {
  const frame = changetype<SendFrame>(call(caller, pc, PROC_SEND, CAT_SEND));
  frame.op = op;
  frame.to = to;
  frame.vector = vector;
  frame.intended = meant;
}

/** Masked operations read the CPU's Mask.Receivers. */
function run(op: u32, to: u32, vector: u32): void {
  if (op == <u32>OP_MASK || op == <u32>OP_CALL_MANY) {
    memory.copy(maskArg, cpuMask(self, Mask.Receivers), (<usize>maskWords) << 3);
    if (op == <u32>OP_MASK) driver.sendIPIMask(self, maskArg, vector);
    else smp.sendCallFuncIpi(self, maskArg);
    clearMask(maskArg);
  } else if (op == <u32>OP_ALLBUTSELF) driver.sendIPIAllButSelf(self, vector);
  else if (op == <u32>OP_SELF) driver.sendIPISelf(self, vector);
  else if (op == <u32>OP_IRQ_WORK) smp.irqWorkRaise(self);
  else if (op == <u32>OP_RESCHEDULE) smp.smpSendReschedule(self, to);
  else if (op == <u32>OP_CALL_SINGLE) smp.sendCallFuncSingleIpi(self, to);
  else driver.sendIPI(self, to, vector);
}

function transmit(frame: SendFrame): void {
  memory.copy(inTimed(T.TM_SEEN, 0), L.L_SENDS, L.LEDGER_BYTES);
  if (!ASC_NO_ASSERT) assert(me.uninterruptible == 0);
  offset = 0;
  begun = frame.begun;
  intended = frame.intended;
  busSend();
  const copies = ledger.maskCopies;
  openOutbox();
  run(frame.op, frame.to, frame.vector);
  closeOutbox();
  for (let i: u32 = 0; i < outboxCount; i++) depart(entryAt(i));
  emptyOutbox();
  books = L.L_SENDS;
  priceLedger(ICR_SHORTHAND);
  if (ledger.maskCopies != copies) forgetCopy(frame);
}

/**
 * FAULT_NO_COPY: x2apic_cluster's walk clears the caller's mask, not its copy. linux-4.0's
 * smp_call_function_many() waits by that mask, so it waits for nobody; who keeps a mask and sends
 * by it again sends to nobody. linux-6.12's many passes a mask that it doesn't need afterwards.
 */
function forgetCopy(frame: SendFrame): void {
  if (struck(FAULT_NO_COPY, FAULT_NO_COPY, self, frame.vector) < 0) return;
  const many = frame.op == <u32>OP_CALL_MANY;
  note(LOG_FAULT, FAULT_NO_COPY, self, me.outstanding);
  if (many && !manyWaitsBySentMask()) return;
  counted(CT_COPY_LOST);
  if (many) me.outstanding = 0;
  else me.maskLost = 1;
}

export function stepSend(frame: SendFrame): void {
  const pc = frame.pc;
  if (pc == Send.Setup) {
    frame.begun = now;
    note(LOG_SEND, frame.op, frame.to, 0);
    goOn(frame, Send.Write, cost(COST_SEND_SETUP));
  } else if (pc == Send.Write) {
    // xapic_wait_icr_idle(): the delivery status says "send pending" while the bus has the last one.
    if (me.busWrites != 0) return wait(); // bug: a-send-does-not-wait-for-the-bus
    ledger.sends++;
    transmit(frame);
    me.uninterruptible = 1;
    goOn(frame, Send.Done, offset);
  } else {
    me.uninterruptible = 0;
    record(HIST_SEND, now - frame.begun);
    note(LOG_SEND_DONE, 0, 0, 0);
    pop();
  }
}
