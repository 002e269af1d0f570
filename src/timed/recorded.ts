// A recorded IPI load, written into the core for workloads that do `recorded`: each CPU's operations at
// their recorded times.

import type { MachineConfig } from '../core/config.js';
import { T, X } from '../core/memory.js';
import { FUNCS } from './names.js';

export interface RecordedOperation {
  /** Since the start of the recording. */
  ns: number;
  cpu: number;
  do: 'send' | 'call' | 'wake' | 'irq_work';
  /** One CPU, or several: then smp_call_function_many(). */
  targets: readonly number[];
  /** Of a bare send. */
  vector: number;
  func: (typeof FUNCS)[number];
  wait: boolean;
}

const CODES = {
  send: X.DO_SEND,
  call: X.DO_CALL_SINGLE,
  wake: X.DO_WAKE,
  irq_work: X.DO_IRQ_WORK,
} as const;

export class RecordedLoad {
  readonly operations: readonly RecordedOperation[];

  /** @param operations in any order; CPUs and targets within the machine of the run */
  constructor(operations: readonly RecordedOperation[]) {
    this.operations = operations.toSorted((a, b) => a.cpu - b.cpu || a.ns - b.ns);
  }

  bytes(config: MachineConfig): number {
    const masks = this.operations.filter(({ targets }) => targets.length > 1).length;
    return this.operations.length * T.RECORDED_BYTES + masks * maskBytes(config);
  }

  write(view: DataView, base: number, config: MachineConfig): void {
    const start = view.getUint32(base + T.TM_TRACE, true);
    const rows = view.getUint32(base + T.TM_ROWS, true);
    let mask = start + this.operations.length * T.RECORDED_BYTES;
    this.operations.forEach((operation, i) => {
      const at = start + i * T.RECORDED_BYTES;
      const { ns, targets, func, wait, vector, cpu } = operation;
      const many = targets.length > 1;
      view.setBigUint64(at + T.RC_TIME, BigInt(Math.round(ns * 1000)), true);
      view.setUint32(at + T.RC_OP, many ? X.DO_CALL_MANY : CODES[operation.do], true);
      view.setUint32(at + T.RC_TARGET, many ? mask : targets[0]!, true);
      view.setUint32(at + T.RC_FUNC, FUNCS.indexOf(func), true);
      view.setUint32(at + T.RC_WAIT, wait ? X.CALL_WAITS : 0, true);
      view.setUint32(at + T.RC_VECTOR, vector, true);
      if (many) {
        for (const target of targets) {
          const byte = mask + (target >> 3);
          view.setUint8(byte, view.getUint8(byte) | (1 << (target & 7)));
        }
        mask += maskBytes(config);
      }
      const row = rows + cpu * T.NODE_BYTES;
      if (view.getUint32(row + T.N_TRACE, true) === 0) view.setUint32(row + T.N_TRACE, at, true);
      view.setUint32(row + T.N_TRACE_END, at + T.RECORDED_BYTES, true);
    });
  }
}

/** Whole 64-bit words, as the core's cpumasks are. */
function maskBytes(config: MachineConfig): number {
  return Math.ceil(config.cpus / 64) * 8;
}
