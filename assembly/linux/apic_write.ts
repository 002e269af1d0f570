// The writes that Linux's drivers end in, each counted and, when asked, logged.
import { deliver } from '../bus/deliver';
import { sendIcr } from '../bus/icr';
import { beginWrite } from '../bus/outbox';
import { log, logCapacity } from '../memory/arena';
import {
  ICR_NMI,
  LOG_ICR,
  LOG_ICR_XAPIC,
  LOG_SELF_IPI,
  LOG_SHORTHAND_XAPIC,
  VECTOR_NMI,
} from '../memory/codes';
import * as L from '../memory/layout';
import { LogEntry, ledger, lists } from '../memory/records';

/**
 * Each write and hypercall passes here before its messages are delivered: the outbox marks it, and the
 * write log has it (the host empties it before each send it wants to see).
 */
export function record(kind: u32, dest: u32, low: u32, extra: u32): void {
  beginWrite();
  if (lists.logging == 0) return;
  const count = lists.logCount;
  lists.logCount = count + 1;
  if (count >= logCapacity) return;
  const entry = changetype<LogEntry>(log + ((<usize>count) << L.LOG_SHIFT));
  entry.kind = kind;
  entry.dest = dest;
  entry.low = low;
  entry.extra = extra;
}

// Linux 6.12 arch/x86/kernel/apic/local.h __prepare_ICR(): NMI is a delivery mode with vector 0.
export function prepareIcr(shorthand: u32, vector: u32, mode: u32): u32 {
  return shorthand | mode | (vector == <u32>VECTOR_NMI ? <u32>ICR_NMI : vector);
}

// Linux 6.12 arch/x86/include/asm/apic.h native_x2apic_icr_write(): one wrmsr, never a wait.
export function x2apicIcrWrite(from: u32, dest: u32, low: u32): void {
  ledger.icrWrites++;
  record(LOG_ICR, dest, low, 0);
  sendIcr(from, dest, low);
}

// Linux 6.12 arch/x86/kernel/apic/x2apic_phys.c x2apic_send_IPI_self(): wrmsr of SELF_IPI, no fence.
export function x2apicSelfIpi(from: u32, vector: u32): void {
  ledger.icrWrites++;
  ledger.selfIpiWrites++;
  record(LOG_SELF_IPI, 0, vector, 0);
  deliver(from, vector);
}

// Linux 6.12 arch/x86/kernel/apic/ipi.c __default_send_IPI_dest_field(): wait, ICR2, ICR. The
// delivery status of an untimed bus is always idle: one poll each.
export function xapicWrite(from: u32, dest: u32, low: u32): void {
  ledger.idlePolls++;
  ledger.icr2Writes++;
  ledger.icrWrites++;
  record(LOG_ICR_XAPIC, dest & 0xff, low, 0);
  sendIcr(from, dest & 0xff, low);
}

// Linux 6.12 arch/x86/kernel/apic/ipi.c __default_send_IPI_shortcut(): wait, ICR; ICR2 untouched.
export function xapicShorthand(from: u32, low: u32): void {
  ledger.idlePolls++;
  ledger.icrWrites++;
  record(LOG_SHORTHAND_XAPIC, 0, low, 0);
  sendIcr(from, 0, low);
}

export function irqSave(): void {
  ledger.irqSaves++;
}
