// Linux arch/x86/kernel/apic/x2apic_cluster.c
import { clusterOf, isSpread, memberOf } from '../bus/clusters';
import { maskCopy } from '../memory/arena';
import { ICR_LOGICAL, NONE } from '../memory/codes';
import * as L from '../memory/layout';
import { apicId, clusterWord, x2apicLogicalId } from '../memory/rows';
import { irqSave, prepareIcr, x2apicIcrWrite } from './apic_write';
import { wrmsrFence } from './config';
import { clearCpu, copyMask, nextCpu, payWalk, testCpu } from './cpumask';
import { clearsSelfFirst } from './era';

// x2apic_send_IPI() (from the 2015 patch on): fence, one logical write; no irq_save, no mask.
export function clusterSendIPI(from: u32, to: u32, vector: u32): void {
  const dest = x2apicLogicalId(apicId(to));
  wrmsrFence();
  x2apicIcrWrite(from, dest, prepareIcr(0, vector, ICR_LOGICAL));
}

// __x2apic_send_IPI_mask(): one write per cluster, in the order of each cluster's first CPU.
// 6.12 clears self in the private copy; 4.0 skips self while collecting (a cluster that holds
// nobody else is not written to either way).
export function clusterSendMask(from: u32, mask: usize, vector: u32, exceptSelf: bool): void {
  wrmsrFence(); // bug: the-cluster-sender-forgets-the-fence
  irqSave();
  copyMask(maskCopy, mask); // bug: the-mask-refactor-forgets-its-copy
  const clears = clearsSelfFirst();
  if (exceptSelf && clears) clearCpu(maskCopy, from);
  payWalk(1);
  let cpu = nextCpu(maskCopy, 0);
  while (cpu != NONE) {
    // for_each_cpu_and and cpumask_andnot, each over the whole mask; the second only after a write.
    payWalk(1);
    const places = gather(cpu, exceptSelf && !clears ? <i32>from : NONE);
    if (places != 0) {
      payWalk(1);
      const dest = ((apicId(cpu) >> 4) << 16) | places;
      x2apicIcrWrite(from, dest, prepareIcr(0, vector, ICR_LOGICAL));
    }
    cpu = nextCpu(maskCopy, cpu + 1);
  }
}

/**
 * The members of `cpu`'s cluster that are in the copy, as bits of their places. They leave the copy
 * (4.0 leaves a lone sender in, whose turn has passed).
 */
function gather(cpu: u32, except: i32): u32 {
  const cluster = clusterOf(cpu);
  if (isSpread(cluster)) return gatherMembers(cluster, except);
  let places: u32 = 0;
  for (let n: u32 = 0; n < <u32>L.CLUSTER_WORD_COUNT; n++) {
    const own = clusterWord(cluster, n);
    if (own.used == 0) break;
    const index = own.index;
    const word = maskCopy + ((<usize>index) << 3);
    const old = load<u64>(word);
    const present = old & own.bits;
    for (let bits = present; bits != 0; bits &= bits - 1) {
      const member = (index << 6) | <u32>ctz<u64>(bits);
      if (<i32>member != except) places |= 1 << (apicId(member) & 15);
    }
    store<u64>(word, old ^ present);
  }
  return places;
}

/** The same, member by member. */
function gatherMembers(cluster: u32, except: i32): u32 {
  let places: u32 = 0;
  for (let place: u32 = 0; place < 16; place++) {
    const member = memberOf(cluster, place);
    if (member == NONE || !testCpu(maskCopy, member)) continue;
    if (member != except) places |= 1 << place;
    clearCpu(maskCopy, member);
  }
  return places;
}
