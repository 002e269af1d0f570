// Linux arch/x86/kernel/apic/x2apic_cluster.c
import { apicId, maskCopy } from '../arena';
import { clusterOf, memberOf } from '../bus/clusters';
import { ICR_LOGICAL, NONE } from '../codes';
import { irqSave, prepareIcr, x2apicIcrWrite } from './apic_write';
import { is612, wrmsrFence } from './config';
import { clearCpu, copyMask, nextCpu, payWalk, testCpu } from './cpumask';

/** Linux's apic_cluster(apicid) << 16 | 1 << (apicid & 15). */
export function logicalId(apic: u32): u32 {
  return ((apic >> 4) << 16) | ((<u32>1) << (apic & 15));
}

// x2apic_send_IPI() (from the 2015 patch on): fence, one logical write; no irq_save, no mask.
export function clusterSendIPI(from: u32, to: u32, vector: u32): void {
  const dest = logicalId(apicId(to));
  wrmsrFence();
  x2apicIcrWrite(from, dest, prepareIcr(0, vector, ICR_LOGICAL));
}

// __x2apic_send_IPI_mask(): one write per cluster, in the order of each cluster's first CPU.
// 6.12 clears self in the private copy; 4.0 skips self while collecting, and a cluster that
// holds nobody else stays in the mask (no write either way).
export function clusterSendMask(from: u32, mask: usize, vector: u32, exceptSelf: bool): void {
  wrmsrFence();
  irqSave();
  copyMask(maskCopy, mask);
  const modern = is612();
  if (exceptSelf && modern) clearCpu(maskCopy, from);
  payWalk(1);
  let cpu = nextCpu(maskCopy, 0);
  while (cpu != NONE) {
    const dest = collect(cpu, exceptSelf && !modern ? <i32>from : NONE);
    payWalk(1);
    if (dest != 0) {
      x2apicIcrWrite(from, dest, prepareIcr(0, vector, ICR_LOGICAL));
      payWalk(1);
      removeCluster(cpu);
    }
    cpu = nextCpu(maskCopy, cpu + 1);
  }
}

/** ORs the logical ids of the copy's CPUs in `cpu`'s cluster (for_each_cpu_and). */
function collect(cpu: u32, except: i32): u32 {
  const cluster = clusterOf(cpu);
  let dest: u32 = 0;
  for (let place: u32 = 0; place < 16; place++) {
    const member = memberOf(cluster, place);
    if (member == NONE || member == except || !testCpu(maskCopy, member)) continue;
    dest |= 1 << place;
  }
  return dest == 0 ? 0 : ((apicId(cpu) >> 4) << 16) | dest;
}

/** cpumask_andnot(copy, copy, cluster). */
function removeCluster(cpu: u32): void {
  const cluster = clusterOf(cpu);
  for (let place: u32 = 0; place < 16; place++) {
    const member = memberOf(cluster, place);
    if (member != NONE) clearCpu(maskCopy, member);
  }
}
