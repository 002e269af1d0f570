// What each kernel does, by name: the only place in the core that compares eras. A capability says what differs and in
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

/**
 * Linux 6.12 kernel/smp.c __smp_call_single_queue(): csds, wakeups and irq_work share
 * call_single_queue (since v5.8). Linux 4.0 has the run queue's wake_list and irq_work's
 * raised_list beside it.
 */
export function sharesOneQueue(): bool {
  return is612();
}

/**
 * Linux 6.12 kernel/smp.c __flush_smp_call_function_queue(): synchronous calls run first (since
 * v5.8). Linux 4.0 flush_smp_call_function_queue(): all in the order of their arrival.
 */
export function syncCallsFirst(): bool {
  return is612();
}

/**
 * Linux 6.12 kernel/smp.c __flush_smp_call_function_queue(): csd_unlock() before an asynchronous
 * function (8053871d0f7f, v4.1). Linux 4.0: after it.
 */
export function asyncUnlocksFirst(): bool {
  return is612();
}

/**
 * Linux 6.12 kernel/smp.c smp_call_function_many_cond(): cpumask_ipi leaves out CPUs whose queue
 * was not empty. Linux 4.0 smp_call_function_many(): an IPI to every target.
 */
export function manySkipsQueued(): bool {
  return is612();
}

/**
 * Linux 4.0 kernel/smp.c smp_call_function_many(): sends by cfd->cpumask, and waits by it
 * afterwards. Linux 6.12: sends by cpumask_ipi, which it needs no more.
 */
export function manyWaitsBySentMask(): bool {
  return !is612();
}

/**
 * Linux 4.0 arch/x86/mm/tlb.c flush_tlb_mm_range(): local_flush_tlb() before flush_tlb_others().
 * Linux 6.12: on_each_cpu_cond_mask()'s own share comes after the IPIs.
 */
export function ownFlushFirst(): bool {
  return !is612();
}

/**
 * Linux 6.12 kernel/sched/core.c call_function_single_prep_ipi(): no IPI of a call to an idle CPU
 * that polls. Linux 4.0: only wakeups and reschedules ask.
 */
export function pollingNeedsNoIpi(): bool {
  return is612();
}

/**
 * Linux 6.12 kernel/sched/core.c __ttwu_queue_wakelist(): CALL_FUNCTION_SINGLE, as any queued call
 * (since v5.8). Linux 4.0 ttwu_queue_remote(): RESCHEDULE, whose handler empties the wake list.
 */
export function wakesBySingle(): bool {
  return is612();
}

/**
 * Linux 6.12 arch/x86/kernel/smp.c native_stop_other_cpus(): an NMI to each CPU that has not
 * stopped. Linux 4.0: NMI by send_IPI_allbutself.
 */
export function nmiOneByOne(): bool {
  return is612();
}
