// Linux arch/x86/kernel/apic/x2apic_phys.c

import { NONE } from '../memory/codes';
import { apicId } from '../memory/rows';
import { irqSave, prepareIcr, x2apicIcrWrite } from './apic_write';
import { wrmsrFence } from './config';
import { nextCpu, payWalk } from './cpumask';

// x2apic_send_IPI() (6.12): fence, one physical write.
export function x2apicPhysSendIPI(from: u32, to: u32, vector: u32): void {
  wrmsrFence();
  x2apicIcrWrite(from, apicId(to), prepareIcr(0, vector, 0));
}

// __x2apic_send_IPI_mask(): one write per CPU, one fence for all, no copy.
export function x2apicPhysSendMask(from: u32, mask: usize, vector: u32, exceptSelf: bool): void {
  wrmsrFence();
  irqSave();
  payWalk(1);
  for (let cpu = nextCpu(mask, 0); cpu != NONE; cpu = nextCpu(mask, cpu + 1)) {
    if (exceptSelf && <u32>cpu == from) continue;
    x2apicIcrWrite(from, apicId(cpu), prepareIcr(0, vector, 0));
  }
}

// __x2apic_send_IPI_shorthand() (6.12): fence, one write with destination 0.
export function x2apicShorthand(from: u32, shorthand: u32, vector: u32): void {
  wrmsrFence();
  x2apicIcrWrite(from, 0, prepareIcr(shorthand, vector, 0));
}
