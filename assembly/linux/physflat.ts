// Linux arch/x86/kernel/apic/apic_flat_64.c (physflat) and ipi.c *_phys helpers

import { NONE } from '../memory/codes';
import { apicId } from '../memory/rows';
import { irqSave, prepareIcr, xapicWrite } from './apic_write';
import { nextCpu, payWalk } from './cpumask';

// default_send_IPI_single_phys() (6.12).
export function physSendIPI(from: u32, to: u32, vector: u32): void {
  irqSave();
  xapicWrite(from, apicId(to), prepareIcr(0, vector, 0));
}

// default_send_IPI_mask_sequence_phys() and _allbutself_phys(): one irq_save, then wait, ICR2
// and ICR for each CPU.
export function physSendMask(from: u32, mask: usize, vector: u32, exceptSelf: bool): void {
  irqSave();
  payWalk(1);
  for (let cpu = nextCpu(mask, 0); cpu != NONE; cpu = nextCpu(mask, cpu + 1)) {
    if (exceptSelf && <u32>cpu == from) continue;
    xapicWrite(from, apicId(cpu), prepareIcr(0, vector, 0));
  }
}
