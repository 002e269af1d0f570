// What the host may call to create a machine.

import '../memory/checks';
import { enableAll, hasFastDecode, powerOnAll as powerOn } from '../board/power';
import { buildClusters } from '../bus/clusters';
import { cpuOf as directoryCpuOf, enterAll } from '../bus/directory';
import { setCpu } from '../linux/cpumask';
import * as arena from '../memory/arena';
import { cpus, maskOnline, plan } from '../memory/arena';
import {
  BAD_ARGUMENT,
  FLAG_COUNT_VECTORS,
  FLAG_EARLY_ISR,
  NONE,
  START_ENABLED,
} from '../memory/codes';
import { LAYOUT_FINGERPRINT } from '../memory/fingerprint';
import * as L from '../memory/layout';
import { config, devices } from '../memory/records';
import { apicId } from '../memory/rows';

export function fingerprint(): u32 {
  return LAYOUT_FINGERPRINT;
}

/**
 * Step 1 of creation: lays out and grows the memory. The host then writes the APIC ids, the model's
 * flags and the I/O APICs' sizes.
 */
export function create(
  count: u32,
  mode: u32,
  driverCode: u32,
  era: u32,
  flags: u32,
  ioapicCount: u32,
): i32 {
  if (arena.cpus != 0 || count == 0 || count > <u32>L.CPUS_MAX) return BAD_ARGUMENT;
  if (ioapicCount > <u32>L.IOAPIC_MAX) return BAD_ARGUMENT;
  const status = plan(count, mode, (flags & FLAG_COUNT_VECTORS) != 0, ioapicCount);
  if (status != 0) return status;
  config.driver = driverCode;
  config.era = era;
  config.flags = flags;
  config.timerKhz = 1_000_000;
  config.tscKhz = 1_000_000;
  config.early = (flags & FLAG_EARLY_ISR) != 0 ? 1 : 0;
  return 0;
}

/** Step 2: directory, clusters, online mask, power-on. NONE, or the first CPU with a taken id. */
export function commit(start: u32): i32 {
  const duplicate = enterAll();
  if (duplicate != NONE) return duplicate;
  devices.slowModel = hasFastDecode() ? 0 : 1;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (apicId(cpu) >> 20 != 0) config.wideIds = 1;
    setCpu(maskOnline, cpu);
  }
  buildClusters();
  powerOn();
  if (start == <u32>START_ENABLED) {
    enableAll();
  }
  return NONE;
}

/** Every CPU, the I/O APICs and the 8259s as after power-on; counters and time go on. */
export function powerOnAll(): void {
  powerOn();
}

export function cpuOf(id: u32): i32 {
  return directoryCpuOf(id);
}
