// What the host may call to send: the ICR, and the operations of struct apic.
import { settled } from '../board/audit';
import { sendIcr } from '../bus/icr';
import { hasSerialBus } from '../bus/serial';
import { latch } from '../lapic/outputs';
import * as driver from '../linux/driver';
import * as smp from '../linux/smp';
import { cpus, logCapacity, maskArg } from '../memory/arena';
import {
  BAD_ARGUMENT,
  OP_ALL,
  OP_ALLBUTSELF,
  OP_CALL_MANY,
  OP_CALL_SINGLE,
  OP_IRQ_WORK,
  OP_MASK,
  OP_MASK_ALLBUTSELF,
  OP_RESCHEDULE,
  OP_SELF,
  OP_SEND_IPI,
} from '../memory/codes';
import * as L from '../memory/layout';
import { ledger, lists } from '../memory/records';

// --- bus and senders ---

export function writeIcr(from: u32, dest: u32, low: u32): i32 {
  if (from >= cpus) return BAD_ARGUMENT;
  if ((latch(from) & L.LATCH_BUS) != 0) return 0; // send pending: the write is ignored
  ledger.sends += 1;
  ledger.icrWrites += 1;
  sendIcr(from, dest, low);
  return settled(0);
}

/** One call of struct apic or of a caller above it. Masks come in the argument mask. */
export function send(op: u32, from: u32, to: u32, vector: u32): i32 {
  if (from >= cpus || to >= cpus || vector > 255 || hasSerialBus()) return BAD_ARGUMENT;
  ledger.sends += 1;
  switch (op) {
    case OP_SEND_IPI:
      driver.sendIPI(from, to, vector);
      break;
    case OP_MASK:
      driver.sendIPIMask(from, maskArg, vector);
      break;
    case OP_MASK_ALLBUTSELF:
      driver.sendIPIMaskAllButSelf(from, maskArg, vector);
      break;
    case OP_ALLBUTSELF:
      driver.sendIPIAllButSelf(from, vector);
      break;
    case OP_ALL:
      driver.sendIPIAll(from, vector);
      break;
    case OP_SELF:
      driver.sendIPISelf(from, vector);
      break;
    case OP_RESCHEDULE:
      smp.smpSendReschedule(from, to);
      break;
    case OP_CALL_SINGLE:
      smp.sendCallFuncSingleIpi(from, to);
      break;
    case OP_CALL_MANY:
      smp.sendCallFuncIpi(from, maskArg);
      break;
    case OP_IRQ_WORK:
      smp.irqWorkRaise(from);
      break;
    default:
      return BAD_ARGUMENT;
  }
  return settled(0);
}

/** Bytes of the argument mask beyond the machine's CPUs are the host's to keep zero. */
export function logEntries(): u32 {
  const count = lists.logCount;
  return count < logCapacity ? count : logCapacity;
}
