// What each kernel does, by name: the only place that compares eras. A capability says what differs and in
// which function; code asks for the capability, never for the era.
import { ERA_4_0_SEND_IPI, ERA_6_12 } from '../memory/codes';
import { config } from '../memory/records';

function era(): u32 {
  return config.era;
}

function is612(): bool {
  return era() == <u32>ERA_6_12;
}

/** Every driver sets apic->send_IPI. Linux 6.12 arch/x86/kernel/apic/apic_*.c, x2apic_*.c; 4.0 has no such member. */
export function everyDriverHasSendIPI(): bool {
  return is612();
}

/** x2apic_cluster sets apic->send_IPI: the 2015 patch, Linux 7b6ce46cb3d0, and all kernels after it. */
export function clusterHasSendIPI(): bool {
  return is612() || era() == <u32>ERA_4_0_SEND_IPI;
}

/** The fence before an x2APIC write is patched out on AMD. Linux 6.12 asm/processor.h weak_wrmsr_fence(). */
export function patchesFenceOut(): bool {
  return is612();
}

/** send_IPI_all and _allbutself are shorthands. Linux 6.12 apic/ipi.c, x2apic_phys.c; 4.0 walks the online mask. */
export function broadcastsByShorthand(): bool {
  return is612();
}

/** A mask without self is cleared before the walk; 4.0 skips self on it. Linux 6.12 x2apic_cluster.c __x2apic_send_IPI_mask(). */
export function clearsSelfFirst(): bool {
  return is612();
}

/** The 32-bit driver asks no_broadcast before a shorthand. Linux 4.0 probe_32.c default_send_IPI_all(). */
export function asksNoBroadcast32(): bool {
  return !is612();
}

/** A shorthand carries the driver's destination mode. Linux 4.0 apic/ipi.c __default_send_IPI_shortcut(). */
export function shorthandHasDestMode(): bool {
  return !is612();
}

/** apic_use_ipi_shorthand decides on a call's broadcast. Linux 6.12 apic/ipi.c native_send_call_func_ipi(). */
export function gatesBroadcastByKey(): bool {
  return is612();
}
