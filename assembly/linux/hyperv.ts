// Hyper-V enlightened IPIs. Linux 6.12 arch/x86/hyperv/hv_apic.c. VP numbers equal CPU numbers;
// the hypervisor recommends the EX hypercalls. Each function says whether Hyper-V took the IPI;
// when not, the caller falls back to the native driver.
import { deliver } from '../bus/deliver';
import { cpus, maskOnline } from '../memory/arena';
import { LOG_HYPERV_IPI, LOG_HYPERV_IPI_EX, NONE } from '../memory/codes';
import { ledger } from '../memory/records';
import { irqSave, record } from './apic_write';
import {
  cpumaskOf,
  dropOf,
  equalMasks,
  lastCpu,
  nextCpu,
  payWalk,
  testCpu,
  weight,
} from './cpumask';

const LOWEST_VECTOR: u32 = 0x10; // HV_IPI_LOW_VECTOR
const SPARSE_LIMIT: u32 = 4096; // HV_GENERIC_SET_SPARSE_4K: 64 banks of 64

// __send_ipi_one(): a fast hypercall below VP 64, else EX with a mask of one.
export function hvSendOne(to: u32, vector: u32): bool {
  if (vector < LOWEST_VECTOR) return false;
  if (to >= 64) {
    const taken = sendEx(to, cpumaskOf(to), vector, false);
    dropOf(to);
    return taken;
  }
  ledger.hypercalls++;
  record(LOG_HYPERV_IPI, to, vector, 1);
  deliver(to, vector);
  return true;
}

// __send_ipi_mask(): one fast hypercall with a 64-bit mask when the last VP is below 64.
export function hvSendMask(from: u32, mask: usize, vector: u32, exceptSelf: bool): bool {
  const count = weight(mask);
  if (count == 0 || (exceptSelf && count == 1 && testCpu(mask, from))) return true;
  if (vector < LOWEST_VECTOR) return false;
  if (lastCpu(mask) >= 64) return sendEx(from, mask, vector, exceptSelf);
  payWalk(1);
  ledger.hypercalls++;
  record(
    LOG_HYPERV_IPI,
    nextCpu(mask, 0),
    vector,
    exceptSelf && testCpu(mask, from) ? count - 1 : count,
  );
  deliverMask(from, mask, vector, exceptSelf);
  return true;
}

// __send_ipi_mask_ex(): SET_ALL for exactly the present CPUs, else a sparse set of 64-CPU banks,
// which reaches VP 4095.
function sendEx(from: u32, mask: usize, vector: u32, exceptSelf: bool): bool {
  irqSave();
  const all = equalMasks(mask, maskOnline) && !exceptSelf;
  if (!all) {
    payWalk(1);
    if (<u32>lastCpu(mask) >= SPARSE_LIMIT) return false;
  }
  ledger.hypercalls++;
  const own: u32 = exceptSelf && testCpu(mask, from) ? 1 : 0;
  const count = all ? cpus : weightFree(mask) - own;
  record(LOG_HYPERV_IPI_EX, nextCpu(mask, 0), vector, count);
  deliverMask(from, mask, vector, exceptSelf);
  return true;
}

/** Population of a mask, for the log only: costs the kernel nothing. */
function weightFree(mask: usize): u32 {
  let count: u32 = 0;
  for (let cpu = nextCpu(mask, 0); cpu != NONE; cpu = nextCpu(mask, cpu + 1)) count++;
  return count;
}

function deliverMask(from: u32, mask: usize, vector: u32, exceptSelf: bool): void {
  for (let cpu = nextCpu(mask, 0); cpu != NONE; cpu = nextCpu(mask, cpu + 1)) {
    if (!exceptSelf || <u32>cpu != from) deliver(cpu, vector);
  }
}
