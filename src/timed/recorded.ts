// A recorded IPI load, written into the core for workloads that do `recorded`: each CPU's operations at
// their recorded times.

import {
  checkBoolean,
  checkList,
  checkName,
  checkNumber,
  checkOptions,
  type KeysOf,
} from '../core/check.js';
import type { MachineConfig } from '../core/config.js';
import { checkInteger, usage } from '../core/errors.js';
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

const OPERATION_KEYS: KeysOf<RecordedOperation> = {
  ns: true,
  cpu: true,
  do: true,
  targets: true,
  vector: true,
  func: true,
  wait: true,
};
const FUNC_CODES = Object.fromEntries(FUNCS.map((name, code) => [name, code]));
/** Longest recording, in ns: about four months. */
const NS_MAX = 1e16;

/** A recorded IPI load, for workloads that do `recorded`. */
export class RecordedLoad {
  readonly operations: readonly RecordedOperation[];

  /**
   * @param operations in any order; CPUs and targets within the machine of the run
   * @throws UsageError for what is no operation
   */
  constructor(operations: readonly RecordedOperation[]) {
    if (!Array.isArray(operations)) throw usage('operations', operations, 'an array');
    for (let i = 0; i < operations.length; i++) checkOperation(`operations[${i}]`, operations[i]);
    this.operations = operations.toSorted((a, b) => a.cpu - b.cpu || a.ns - b.ns);
  }
}

function checkOperation(what: string, operation: RecordedOperation): void {
  checkOptions(what, operation, OPERATION_KEYS);
  checkNumber(`${what}.ns`, operation.ns, 0, NS_MAX);
  checkInteger(`${what}.cpu`, operation.cpu, 0, T.TIMED_CPUS_MAX - 1);
  checkName(`${what}.do`, operation.do, CODES);
  const targets = checkList(`${what}.targets`, operation.targets, T.TIMED_CPUS_MAX);
  if (targets.length === 0) throw usage(`${what}.targets`, 'none', 'at least one CPU');
  for (const target of targets) checkInteger(`${what}.targets`, target, 0, T.TIMED_CPUS_MAX - 1);
  checkInteger(`${what}.vector`, operation.vector, 0, 255);
  checkName(`${what}.func`, operation.func, FUNC_CODES);
  checkBoolean(`${what}.wait`, operation.wait);
}

/** Every CPU of the load is one of the machine's. */
export function checkRecorded({ operations }: RecordedLoad, cpus: number): void {
  for (const { cpu, targets } of operations) {
    checkInteger('recorded.cpu', cpu, 0, cpus - 1);
    for (const target of targets) checkInteger('recorded.targets', target, 0, cpus - 1);
  }
}

export function recordedBytes({ operations }: RecordedLoad, config: MachineConfig): number {
  const masks = operations.filter(({ targets }) => targets.length > 1).length;
  return operations.length * T.RECORDED_BYTES + masks * maskBytes(config);
}

export function writeRecorded(
  { operations }: RecordedLoad,
  view: DataView,
  base: number,
  config: MachineConfig,
): void {
  const start = view.getUint32(base + T.TM_TRACE, true);
  const rows = view.getUint32(base + T.TM_ROWS, true);
  let mask = start + operations.length * T.RECORDED_BYTES;
  operations.forEach((operation, i) => {
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

/** Whole 64-bit words, as the core's cpumasks are. */
function maskBytes(config: MachineConfig): number {
  return Math.ceil(config.cpus / 64) * 8;
}
