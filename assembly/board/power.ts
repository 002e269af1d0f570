// Power-on, INIT and the boot of system software: every chip of the board, and the news that follows.

import { resetIoapic } from '../ioapic/ioapic';
import {
  enableBySoftware,
  powerOnCpu as powerOnLapic,
  initReset as resetOfInit,
} from '../lapic/reset';
import { cpus, mode } from '../memory/arena';
import {
  CLUSTER_F_PLAIN,
  F_CLUSTER_F,
  F_ID_BITS,
  F_IPI_TRIGGER,
  F_LOGICAL_ONES,
  F_LOWEST_PRIORITY,
  F_SLOTS,
  LOWEST_HASH,
  MODE_XAPIC_CLUSTER,
  MODE_XAPIC_FLAT,
  ONES_EVERYONE,
  SLOTS_NONE,
  TRIGGER_EDGE,
} from '../memory/codes';
import { model } from '../memory/model';
import { devices } from '../memory/records';
import { ioapicCount } from '../memory/rows';
import { resetPics } from '../pic/pic';
import { news } from './news';

/** Whether the model's destinations are those of the fast decode. */
export function hasFastDecode(): bool {
  return (
    model(F_LOWEST_PRIORITY) != <u32>LOWEST_HASH &&
    model(F_LOGICAL_ONES) == <u32>ONES_EVERYONE &&
    model(F_CLUSTER_F) == <u32>CLUSTER_F_PLAIN &&
    model(F_IPI_TRIGGER) == <u32>TRIGGER_EDGE &&
    model(F_ID_BITS) == 8 &&
    model(F_SLOTS) == <u32>SLOTS_NONE
  );
}

/** INIT of one CPU and its local APIC. SDM 3A "Local APIC State After an INIT Reset". */
export function initReset(cpu: u32): void {
  resetOfInit(cpu);
  news(cpu);
}

/** Power-on of one CPU. SDM 3A "Local APIC State After Power-Up or Reset". */
export function powerOnCpu(cpu: u32): void {
  powerOnLapic(cpu);
  news(cpu);
}

/** Every CPU, the I/O APICs and the 8259s as after power-on; counters and time go on. */
export function powerOnAll(): void {
  resetPics();
  for (let n: u32 = 0; n < ioapicCount(); n++) resetIoapic(n);
  devices.braked = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) powerOnCpu(cpu);
}

/** Every local APIC as system software leaves it at boot. */
export function enableAll(): void {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    enableBySoftware(cpu, usualLdr(cpu));
    news(cpu);
  }
}

/** What system software writes; flat as Linux does (1 << cpu), cluster with four members each. */
function usualLdr(cpu: u32): u32 {
  if (mode == <u32>MODE_XAPIC_FLAT) return (<u32>1) << (cpu & 7);
  if (mode == <u32>MODE_XAPIC_CLUSTER) return ((cpu >> 2) << 4) | ((<u32>1) << (cpu & 3));
  return 0;
}
