// Which kernel is sending: era, driver and boot options, as create() left them.
import { cpus } from '../memory/arena';
import { FLAG_NO_FENCE, FLAG_NO_HOTPLUG_CPU, FLAG_NO_IPI_BROADCAST } from '../memory/codes';
import { config, ledger } from '../memory/records';
import { patchesFenceOut } from './era';

function hasFlag(flag: u32): bool {
  return (config.flags & flag) != 0;
}

// Linux 6.12 asm/processor.h weak_wrmsr_fence(): mfence;lfence, patched out on AMD and Hygon.
// Linux 4.0 asm/apic.h x2apic_wrmsr_fence(): mfence everywhere.
export function wrmsrFence(): void {
  if (!hasFlag(FLAG_NO_FENCE) || !patchesFenceOut()) ledger.fences++;
}

// Linux 6.12 arch/x86/kernel/apic/ipi.c apic_smt_update(): the apic_use_ipi_shorthand key.
// Every present CPU has been booted once here.
export function useShorthand(): bool {
  return !hasFlag(FLAG_NO_IPI_BROADCAST) && cpus > 1; // bug: the-shorthand-gate-ignores-no-ipi-broadcast
}

// Linux 4.0 apic_flat_64.c flat_send_IPI_allbutself(): "hotplug" is a build option.
export function hotplug(): bool {
  return !hasFlag(FLAG_NO_HOTPLUG_CPU);
}

// Linux 4.0 probe_32.c no_broadcast: DEFAULT_SEND_IPI is 1 in CONFIG_HOTPLUG_CPU builds, and
// no_ipi_broadcast= sets it.
export function noBroadcast32(): bool {
  return hotplug() || hasFlag(FLAG_NO_IPI_BROADCAST);
}
