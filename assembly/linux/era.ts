// What tells one era of Linux from another, each as a capability: callers ask what the kernel does, not
// how old it is. Named after the newer behaviour unless only the older one has it.
import { is612 } from './config';

// Linux 6.12 kernel/smp.c __smp_call_single_queue(): csds, wakeups and irq_work share call_single_queue
// (since v5.8). Linux 4.0 has the run queue's wake_list and irq_work's raised_list beside it.
export function sharesOneQueue(): bool {
  return is612();
}

// Linux 6.12 kernel/smp.c __flush_smp_call_function_queue(): synchronous calls run first (since v5.8).
// Linux 4.0 flush_smp_call_function_queue(): all in the order of their arrival.
export function syncCallsFirst(): bool {
  return is612();
}

// Linux 6.12 kernel/smp.c __flush_smp_call_function_queue(): csd_unlock() before an asynchronous
// function (8053871d0f7f, v4.1). Linux 4.0: after it.
export function asyncUnlocksFirst(): bool {
  return is612();
}

// Linux 6.12 kernel/smp.c smp_call_function_many_cond(): cpumask_ipi leaves out CPUs whose queue was not
// empty. Linux 4.0 smp_call_function_many(): an IPI to every target.
export function manySkipsQueued(): bool {
  return is612();
}

// Linux 4.0 kernel/smp.c smp_call_function_many(): sends by cfd->cpumask, and waits by it afterwards.
// Linux 6.12: sends by cpumask_ipi, which it needs no more.
export function manyWaitsBySentMask(): bool {
  return !is612();
}

// Linux 4.0 arch/x86/mm/tlb.c flush_tlb_mm_range(): local_flush_tlb() before flush_tlb_others().
// Linux 6.12: on_each_cpu_cond_mask()'s own share comes after the IPIs.
export function ownFlushFirst(): bool {
  return !is612();
}

// Linux 6.12 kernel/sched/core.c call_function_single_prep_ipi(): no IPI of a call to an idle CPU that
// polls. Linux 4.0: only wakeups and reschedules ask.
export function pollingNeedsNoIpi(): bool {
  return is612();
}

// Linux 6.12 kernel/sched/core.c __ttwu_queue_wakelist(): CALL_FUNCTION_SINGLE, as any queued call
// (since v5.8). Linux 4.0 ttwu_queue_remote(): RESCHEDULE, whose handler empties the wake list.
export function wakesBySingle(): bool {
  return is612();
}

// Linux 6.12 arch/x86/kernel/smp.c native_stop_other_cpus(): an NMI to each CPU that has not stopped.
// Linux 4.0: NMI by send_IPI_allbutself.
export function nmiOneByOne(): bool {
  return is612();
}
