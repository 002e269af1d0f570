// Linux's names of its IPI vectors.
import { C } from '../core/memory.js';

const NAMES: Readonly<Record<number, string>> = {
  [C.VECTOR_RESCHEDULE]: 'RESCHEDULE',
  [C.VECTOR_CALL_FUNCTION]: 'CALL_FUNCTION',
  [C.VECTOR_CALL_FUNCTION_SINGLE]: 'CALL_FUNCTION_SINGLE',
  [C.VECTOR_REBOOT]: 'REBOOT',
  [C.VECTOR_IRQ_WORK]: 'IRQ_WORK',
  [C.ICR_NMI]: 'NMI',
  236: 'LOCAL_TIMER',
};

/** Such as "CALL_FUNCTION_SINGLE (251)". */
export function vectorName(vector: number): string {
  const name = NAMES[vector];
  if (vector === C.ICR_NMI) return 'NMI';
  return name ? `${name} (${vector})` : `vector ${vector}`;
}
