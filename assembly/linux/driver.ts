// struct apic: which driver has which operation, per era.

import { maskOnline, mode } from '../memory/arena';
import {
  DRIVER_DEFAULT_32,
  DRIVER_FLAT,
  DRIVER_HYPERV,
  DRIVER_KVM_PV,
  DRIVER_PHYSFLAT,
  DRIVER_X2APIC_CLUSTER,
  DRIVER_X2APIC_PHYS,
  ICR_ALL_EXC,
  ICR_ALL_INC,
  ICR_SELF,
  MODE_X2APIC_CLUSTER,
  MODE_X2APIC_PHYSICAL,
} from '../memory/codes';
import { config } from '../memory/records';
import { prepareIcr, x2apicSelfIpi, xapicShorthand } from './apic_write';
import { cpumaskOf, dropOf } from './cpumask';
import { broadcastsByShorthand, clusterHasSendIPI, everyDriverHasSendIPI } from './era';
import {
  default32All,
  default32AllButSelf,
  default32SendMask,
  default32SendMaskAllButSelf,
  flatAll,
  flatAllButSelf,
  flatSendMask,
  shorthand32,
} from './flat';
import { hvSendMask, hvSendOne } from './hyperv';
import { kvmSendMask, kvmSendMaskAllButSelf } from './kvm_pv';
import { physSendIPI, physSendMask } from './physflat';
import { clusterSendIPI, clusterSendMask } from './x2apic_cluster';
import { x2apicPhysSendIPI, x2apicPhysSendMask, x2apicShorthand } from './x2apic_phys';

function installed(): u32 {
  return config.driver;
}

/** The native driver: itself, or the one a paravirtual driver patches, chosen by APIC mode. */
function native(): u32 {
  const driver = installed();
  if (driver != <u32>DRIVER_KVM_PV && driver != <u32>DRIVER_HYPERV) return driver;
  if (mode == <u32>MODE_X2APIC_CLUSTER) return DRIVER_X2APIC_CLUSTER;
  return mode == <u32>MODE_X2APIC_PHYSICAL ? DRIVER_X2APIC_PHYS : DRIVER_PHYSFLAT;
}

function usesX2apic(driver: u32): bool {
  return driver == <u32>DRIVER_X2APIC_CLUSTER || driver == <u32>DRIVER_X2APIC_PHYS;
}

/** Whether apic->send_IPI is set. 4.0: never; with the patch: x2apic_cluster only; 6.12: always. */
function hasSendIPI(driver: u32): bool {
  if (driver == <u32>DRIVER_X2APIC_CLUSTER) return clusterHasSendIPI();
  return everyDriverHasSendIPI();
}

// The helper of the 2015 patch (4.0+send_IPI) and __apic_send_IPI() (6.12): the single-target
// operation, or the mask one where the driver has none.
export function sendIPI(from: u32, to: u32, vector: u32): void {
  if (installed() == <u32>DRIVER_HYPERV && hvSendOne(to, vector)) return;
  const driver = native();
  if (!hasSendIPI(driver) || driver == <u32>DRIVER_DEFAULT_32)
    return sendMaskOfOne(from, to, vector);
  if (driver == <u32>DRIVER_X2APIC_CLUSTER) clusterSendIPI(from, to, vector);
  else if (driver == <u32>DRIVER_X2APIC_PHYS) x2apicPhysSendIPI(from, to, vector);
  else physSendIPI(from, to, vector);
}

// send_IPI_mask(cpumask_of(cpu), vector); also default_send_IPI_single() of the 32-bit driver.
function sendMaskOfOne(from: u32, to: u32, vector: u32): void {
  nativeMask(from, cpumaskOf(to), vector);
  dropOf(to);
}

export function sendIPIMask(from: u32, mask: usize, vector: u32): void {
  if (installed() == <u32>DRIVER_KVM_PV) return kvmSendMask(mask, vector);
  if (installed() == <u32>DRIVER_HYPERV && hvSendMask(from, mask, vector, false)) return;
  nativeMask(from, mask, vector);
}

function nativeMask(from: u32, mask: usize, vector: u32): void {
  const driver = native();
  if (driver == <u32>DRIVER_X2APIC_CLUSTER) clusterSendMask(from, mask, vector, false);
  else if (driver == <u32>DRIVER_X2APIC_PHYS) x2apicPhysSendMask(from, mask, vector, false);
  else if (driver == <u32>DRIVER_PHYSFLAT) physSendMask(from, mask, vector, false);
  else if (driver == <u32>DRIVER_FLAT) flatSendMask(from, mask, vector, false);
  else default32SendMask(from, mask, vector);
}

export function sendIPIMaskAllButSelf(from: u32, mask: usize, vector: u32): void {
  if (installed() == <u32>DRIVER_KVM_PV) return kvmSendMaskAllButSelf(from, mask, vector);
  if (installed() == <u32>DRIVER_HYPERV && hvSendMask(from, mask, vector, true)) return;
  nativeMaskAllButSelf(from, mask, vector);
}

function nativeMaskAllButSelf(from: u32, mask: usize, vector: u32): void {
  const driver = native();
  if (driver == <u32>DRIVER_X2APIC_CLUSTER) clusterSendMask(from, mask, vector, true);
  else if (driver == <u32>DRIVER_X2APIC_PHYS) x2apicPhysSendMask(from, mask, vector, true);
  else if (driver == <u32>DRIVER_PHYSFLAT) physSendMask(from, mask, vector, true);
  else if (driver == <u32>DRIVER_FLAT) flatSendMask(from, mask, vector, true);
  else default32SendMaskAllButSelf(from, mask, vector);
}

export function sendIPIAllButSelf(from: u32, vector: u32): void {
  // hv_send_ipi_allbutself() is hv_send_ipi_mask_allbutself(online): it falls back to the native mask.
  if (installed() == <u32>DRIVER_HYPERV) return sendIPIMaskAllButSelf(from, maskOnline, vector);
  const driver = native();
  if (driver == <u32>DRIVER_FLAT) flatAllButSelf(from, vector);
  else if (driver == <u32>DRIVER_DEFAULT_32) default32AllButSelf(from, vector);
  else if (!broadcastsByShorthand()) nativeMaskAllButSelf(from, maskOnline, vector);
  else if (usesX2apic(driver)) x2apicShorthand(from, ICR_ALL_EXC, vector);
  else xapicShorthand(from, prepareIcr(ICR_ALL_EXC, vector, 0));
}

export function sendIPIAll(from: u32, vector: u32): void {
  if (installed() == <u32>DRIVER_HYPERV && hvSendMask(from, maskOnline, vector, false)) return;
  const driver = native();
  if (driver == <u32>DRIVER_FLAT) flatAll(from, vector);
  else if (driver == <u32>DRIVER_DEFAULT_32) default32All(from, vector);
  else if (!broadcastsByShorthand()) nativeMask(from, maskOnline, vector);
  else if (usesX2apic(driver)) x2apicShorthand(from, ICR_ALL_INC, vector);
  else xapicShorthand(from, prepareIcr(ICR_ALL_INC, vector, 0));
}

// x2APIC: the SELF_IPI register. xAPIC: the self shorthand. Hyper-V: hv_send_ipi_self() = send_IPI(self).
export function sendIPISelf(from: u32, vector: u32): void {
  if (installed() == <u32>DRIVER_HYPERV && hvSendOne(from, vector)) return;
  const driver = native();
  if (usesX2apic(driver)) x2apicSelfIpi(from, vector);
  else if (driver == <u32>DRIVER_DEFAULT_32) shorthand32(from, ICR_SELF, vector);
  else xapicShorthand(from, prepareIcr(ICR_SELF, vector, 0)); // probe_64.c apic_send_IPI_self()
}
