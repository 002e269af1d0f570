// Linux's send paths on a machine, and what each wrote.
import { checkFunction, checkName, freezeDeep } from '../core/check.js';
import { checkInteger, usage } from '../core/errors.js';
import { C, L } from '../core/memory.js';
import type { CoreExports } from '../core/wasm.js';

/** Operations of `struct apic`, and the callers above them. */
export const OPS = freezeDeep({
  send_IPI: C.OP_SEND_IPI,
  send_IPI_mask: C.OP_MASK,
  send_IPI_mask_allbutself: C.OP_MASK_ALLBUTSELF,
  send_IPI_allbutself: C.OP_ALLBUTSELF,
  send_IPI_all: C.OP_ALL,
  send_IPI_self: C.OP_SELF,
  smp_send_reschedule: C.OP_RESCHEDULE,
  send_call_func_single_ipi: C.OP_CALL_SINGLE,
  send_call_func_ipi: C.OP_CALL_MANY,
  irq_work_raise: C.OP_IRQ_WORK,
} as const);
export type Op = keyof typeof OPS;

export const SINGLE_TARGET_OPS: ReadonlySet<Op> = new Set<Op>([
  'send_IPI',
  'smp_send_reschedule',
  'send_call_func_single_ipi',
]);
export const MASK_OPS: ReadonlySet<Op> = new Set<Op>([
  'send_IPI_mask',
  'send_IPI_mask_allbutself',
  'send_call_func_ipi',
]);

/** Where the vector is fixed by the caller: Linux 6.12 arch/x86/include/asm/irq_vectors.h. */
export const OP_VECTOR: Partial<Record<Op, number>> = {
  smp_send_reschedule: C.VECTOR_RESCHEDULE,
  send_call_func_single_ipi: C.VECTOR_CALL_FUNCTION_SINGLE,
  send_call_func_ipi: C.VECTOR_CALL_FUNCTION,
  irq_work_raise: C.VECTOR_IRQ_WORK,
};

/** One thing a sender wrote, in order. */
export interface Write {
  /** Which register or hypercall. */
  register: 'ICR' | 'SELF_IPI' | 'KVM_HC_SEND_IPI' | 'HVCALL_SEND_IPI' | 'HVCALL_SEND_IPI_EX';
  /** Destination: 32 bits in x2APIC mode, 8 in xAPIC mode, 0 with a shorthand; the lowest id of a hypercall. */
  dest: number;
  /** Low 32 bits of the command, or the vector of SELF_IPI and Hyper-V. */
  low: number;
  /** Whether ICR2 (xAPIC high word) is written first. */
  icr2: boolean;
  /** Targets of a hypercall. */
  targets: number;
}

const KINDS: Record<number, { register: Write['register']; icr2: boolean }> = {
  [C.LOG_ICR]: { register: 'ICR', icr2: false },
  [C.LOG_ICR_XAPIC]: { register: 'ICR', icr2: true },
  [C.LOG_SHORTHAND_XAPIC]: { register: 'ICR', icr2: false },
  [C.LOG_SELF_IPI]: { register: 'SELF_IPI', icr2: false },
  [C.LOG_KVM_HYPERCALL]: { register: 'KVM_HC_SEND_IPI', icr2: false },
  [C.LOG_HYPERV_IPI]: { register: 'HVCALL_SEND_IPI', icr2: false },
  [C.LOG_HYPERV_IPI_EX]: { register: 'HVCALL_SEND_IPI_EX', icr2: false },
};

/** What the core takes as an u32 without changing it. */
function isWord(value: unknown): boolean {
  return typeof value === 'number' && value >>> 0 === value;
}

/** Linux waits for the delivery status before it sends; on a serial bus that takes time. */
export function serialBus(what: string): Error {
  return usage(
    what,
    'a model with a serial bus (p6-class, p6-vector)',
    'models without one',
    'write ICR through machine.lapic(cpu) and let the bus work with machine.advance()',
  );
}

/**
 * Linux's send paths on a machine, by the machine's era and driver. `from` and targets are CPU
 * numbers, vectors 0-255 (2 sends an NMI). Every call runs the whole path: sender costs, ICR decode,
 * acceptance at each target. A list of CPUs is any iterable; what it names twice counts once.
 *
 * Every call throws a UsageError for CPUs that the machine lacks, vectors out of range, and models with a
 * serial bus; nothing is sent then.
 */
export class LinuxSender {
  readonly #core: CoreExports;
  readonly #cpus: number;
  readonly #serial: boolean;
  readonly #done: () => void;

  /** Made by Machine. */
  constructor(core: CoreExports, cpus: number, serial: boolean, done: () => void) {
    this.#core = core;
    this.#serial = serial;
    this.#cpus = cpus;
    this.#done = done;
  }

  /** apic->send_IPI where the era and driver have it, else apic->send_IPI_mask(cpumask_of(to)). */
  sendIPI(from: number, to: number, vector: number): void {
    this.#call(C.OP_SEND_IPI, from, to, vector);
  }

  /** apic->send_IPI_mask. */
  sendIPIMask(from: number, cpus: Iterable<number>, vector: number): void {
    this.#callMask(C.OP_MASK, from, cpus, vector);
  }

  /** apic->send_IPI_mask_allbutself: the list without `from`. */
  sendIPIMaskAllButSelf(from: number, cpus: Iterable<number>, vector: number): void {
    this.#callMask(C.OP_MASK_ALLBUTSELF, from, cpus, vector);
  }

  /** apic->send_IPI_allbutself. */
  sendIPIAllButSelf(from: number, vector: number): void {
    this.#call(C.OP_ALLBUTSELF, from, 0, vector);
  }

  /** apic->send_IPI_all. */
  sendIPIAll(from: number, vector: number): void {
    this.#call(C.OP_ALL, from, 0, vector);
  }

  /** apic->send_IPI_self. */
  sendIPISelf(from: number, vector: number): void {
    this.#call(C.OP_SELF, from, 0, vector);
  }

  /** Vector 0xfd. */
  smpSendReschedule(from: number, to: number): void {
    this.#call(C.OP_RESCHEDULE, from, to, 0);
  }

  /** Vector 0xfb. */
  sendCallFuncSingleIpi(from: number, to: number): void {
    this.#call(C.OP_CALL_SINGLE, from, to, 0);
  }

  /** Vector 0xfc. 6.12: all or allbutself when the shorthand gate allows and mask | self is every online CPU. */
  sendCallFuncIpi(from: number, cpus: Iterable<number>): void {
    this.#callMask(C.OP_CALL_MANY, from, cpus, 0);
  }

  /** Vector 0xf6 to self. */
  irqWorkRaise(from: number): void {
    this.#call(C.OP_IRQ_WORK, from, 0, 0);
  }

  /**
   * Any operation by its kernel name.
   * @param cpus targets: one where the operation has one; not looked at where it has none
   * @param vector ignored where the operation has its own
   */
  send(op: Op, from: number, cpus: Iterable<number>, vector: number): void {
    checkName('op', op, OPS);
    if (MASK_OPS.has(op)) return this.#callMask(OPS[op], from, cpus, vector);
    const targets = this.#targets(cpus);
    if (SINGLE_TARGET_OPS.has(op) && targets.length !== 1)
      throw usage('cpus', `${targets.length} of them`, `one CPU for ${op}`);
    this.#call(OPS[op], from, targets[0] ?? 0, vector);
  }

  /**
   * Runs `send` and returns what it wrote, in order.
   * @param send synchronous
   * @throws UsageError inside another record(), for a function that goes on after it returned, and for
   *   more writes than the log holds
   */
  record(send: (linux: LinuxSender) => void): Write[] {
    checkFunction('send', send);
    const header = new DataView(this.#core.memory.buffer);
    if (header.getUint32(L.H_LOGGING, true) !== 0)
      throw usage('record', 'a call inside another record()', 'one at a time');
    header.setUint32(L.H_LOG_COUNT, 0, true);
    header.setUint32(L.H_LOGGING, 1, true);
    let returned: unknown;
    try {
      returned = send(this);
    } finally {
      header.setUint32(L.H_LOGGING, 0, true);
    }
    if (Object.prototype.toString.call(returned) === '[object Promise]')
      throw usage('send', 'an async function', 'one that has sent all when it returns');
    return this.#writes(header);
  }

  #writes(header: DataView): Write[] {
    const base = header.getUint32(L.H_LOG, true);
    const count = header.getUint32(L.H_LOG_COUNT, true);
    const kept = this.#core.logEntries();
    if (count > kept)
      throw usage('record', `${count} writes`, `at most ${kept}`, 'record fewer calls');
    return Array.from({ length: kept }, (_, i) => {
      const at = base + i * L.LOG_BYTES;
      const kind = KINDS[header.getUint32(at, true)]!;
      return {
        ...kind,
        dest: header.getUint32(at + 4, true),
        low: header.getUint32(at + 8, true),
        targets: header.getUint32(at + 12, true),
      };
    });
  }

  /** The list, read before anything is sent: what yields it may use the machine. */
  #targets(cpus: Iterable<number>): number[] {
    const found: number[] = [];
    const iterable = typeof cpus === 'object' && cpus !== null && Symbol.iterator in cpus;
    if (!iterable) throw usage('cpus', cpus, 'a list of CPUs: an array, a Set or another iterable');
    for (const cpu of cpus) {
      if (found.length === L.CPUS_MAX) throw usage('cpus', 'more', `at most ${L.CPUS_MAX} of them`);
      found.push(checkInteger('cpus', cpu, 0, this.#cpus - 1));
    }
    return found;
  }

  #call(op: number, from: number, to: number, vector: number): void {
    this.#send(op, from, to, vector);
    this.#done();
  }

  #send(op: number, from: number, to: number, vector: number): void {
    if (!isWord(from) || !isWord(to) || !isWord(vector)) this.#refuse(from, to, vector);
    if (this.#core.send(op, from, to, vector) !== 0) this.#refuse(from, to, vector);
  }

  #refuse(from: number, to: number, vector: number): never {
    checkInteger('from', from, 0, this.#cpus - 1);
    checkInteger('to', to, 0, this.#cpus - 1);
    checkInteger('vector', vector, 0, 255);
    if (this.#serial) throw serialBus('linux');
    throw usage('op', 'an unknown operation', Object.keys(OPS).join(', '));
  }

  #callMask(op: number, from: number, cpus: Iterable<number>, vector: number): void {
    const targets = this.#targets(cpus);
    const header = new DataView(this.#core.memory.buffer);
    const bytes = new Uint8Array(
      this.#core.memory.buffer,
      header.getUint32(L.H_MASK_ARG, true),
      header.getUint32(L.H_MASK_WORDS, true) * 8,
    );
    for (const cpu of targets) bytes[cpu >> 3] = bytes[cpu >> 3]! | (1 << (cpu & 7));
    try {
      this.#send(op, from, 0, vector);
    } finally {
      bytes.fill(0);
    }
    this.#done();
  }
}
