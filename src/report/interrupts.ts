// /proc/interrupts as the kernel lays it out. Linux 6.12 kernel/irq/proc.c show_interrupts(),
// arch/x86/kernel/irq.c arch_show_interrupts().
import { C } from '../core/memory.js';
import type { Machine } from '../machine/machine.js';

/**
 * RES, CAL, TLB and IWI rows of a machine made with `countVectors`. `tlb` says that call-function
 * handlers ran flush_tlb_func; linux-4.0 then takes them out of CAL (irq_call_count - irq_tlb_count).
 */
export function procInterrupts(machine: Machine, options: { tlb?: boolean } = {}): string {
  const cpus = Array.from({ length: machine.config.cpus }, (_, cpu) => machine.vectorCounts(cpu));
  const sum = (...vectors: number[]) =>
    cpus.map((counts) => vectors.reduce((n, v) => n + counts[v]!, 0));
  const tlb = options.tlb
    ? sum(C.VECTOR_CALL_FUNCTION, C.VECTOR_CALL_FUNCTION_SINGLE)
    : cpus.map(() => 0);
  const calls = sum(C.VECTOR_CALL_FUNCTION, C.VECTOR_CALL_FUNCTION_SINGLE);
  const subset = machine.config.era === 'linux-6.12';
  const rows: [string, number[], string][] = [
    ['IWI', sum(C.VECTOR_IRQ_WORK), 'IRQ work interrupts'],
    ['RES', sum(C.VECTOR_RESCHEDULE), 'Rescheduling interrupts'],
    ['CAL', subset ? calls : calls.map((n, i) => n - tlb[i]!), 'Function call interrupts'],
    ['TLB', tlb, 'TLB shootdowns'],
  ];
  const header = `${' '.repeat(11)}${cpus.map((_, cpu) => `CPU${String(cpu).padEnd(8)}`).join('')}`;
  const lines = rows.map(
    ([name, values, text]) =>
      `${name}: ${values.map((n) => `${String(n).padStart(10)} `).join('')}  ${text}`,
  );
  return [header, ...lines].join('\n');
}
