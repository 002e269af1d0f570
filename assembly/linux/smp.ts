// The kernel's callers of struct apic. Linux arch/x86/kernel/smp.c, apic/ipi.c, irq_work.c
import { isX2apic } from '../bus/destination';
import { maskCopy, maskOnline } from '../memory/arena';
import {
  VECTOR_CALL_FUNCTION,
  VECTOR_CALL_FUNCTION_SINGLE,
  VECTOR_IRQ_WORK,
  VECTOR_RESCHEDULE,
} from '../memory/codes';
import { ledger } from '../memory/records';
import { useShorthand } from './config';
import { clearCpu, copyMask, equalMasks, orSelfEqualsOnline, payWalk, testCpu } from './cpumask';
import { sendIPI, sendIPIAll, sendIPIAllButSelf, sendIPIMask, sendIPISelf } from './driver';
import { gatesBroadcastByKey } from './era';

// native_smp_send_reschedule()
export function smpSendReschedule(from: u32, to: u32): void {
  sendIPI(from, to, VECTOR_RESCHEDULE);
}

// native_send_call_func_single_ipi()
export function sendCallFuncSingleIpi(from: u32, to: u32): void {
  sendIPI(from, to, VECTOR_CALL_FUNCTION_SINGLE);
}

// native_send_call_func_ipi(): the whole machine but this CPU (6.12: or with it) goes by
// allbutself or all, anything else by the mask.
export function sendCallFuncIpi(from: u32, mask: usize): void {
  if (gatesBroadcastByKey()) callFuncByKey(from, mask);
  else callFuncByMask(from, mask);
}

// 6.12: gated by the shorthand key; compares mask | self with the online mask.
function callFuncByKey(from: u32, mask: usize): void {
  if (!useShorthand() || !orSelfEqualsOnline(mask, from)) {
    return sendIPIMask(from, mask, VECTOR_CALL_FUNCTION);
  }
  if (testCpu(mask, from)) sendIPIAll(from, VECTOR_CALL_FUNCTION);
  else sendIPIAllButSelf(from, VECTOR_CALL_FUNCTION);
}

// 4.0: builds online - self in a mask it allocates, and compares twice (mask with it; online
// with cpu_callout_mask, equal here: every CPU was called out).
function callFuncByMask(from: u32, mask: usize): void {
  copyMask(maskCopy, maskOnline);
  clearCpu(maskCopy, from);
  if (!equalMasks(mask, maskCopy)) return sendIPIMask(from, mask, VECTOR_CALL_FUNCTION);
  payWalk(1);
  sendIPIAllButSelf(from, VECTOR_CALL_FUNCTION);
}

// arch_irq_work_raise(): a self-IPI, then apic_wait_icr_idle() (nothing in x2APIC mode).
export function irqWorkRaise(from: u32): void {
  sendIPISelf(from, VECTOR_IRQ_WORK);
  if (!isX2apic()) ledger.idlePolls++;
}
