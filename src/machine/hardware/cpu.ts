// The CPU beside a local APIC: what it takes, and whose EOI an EOI was.
import { checkBoolean, lockFields } from '../../core/check.js';
import { usage } from '../../core/errors.js';
import { C, L } from '../../core/memory.js';
import type { CoreExports } from '../../core/wasm.js';

/** What a CPU took, or returned from. */
export interface Taken {
  kind: 'vector' | 'spurious' | 'extint' | 'nmi' | 'smi' | 'init' | 'sipi';
  /** Vector; start-up vector of a SIPI (start address >> 12); 0 for the others. */
  vector: number;
}

/** Whose EOI it was: the running handler's, nobody's (nothing in service), or another handler's. */
export interface EoiResult {
  kind: 'matched' | 'stray' | 'other';
  /** The vector that it took out of service, -1 for none. */
  vector: number;
}

const KINDS: Record<number, Taken['kind']> = {
  [C.HANDLER_VECTOR]: 'vector',
  [C.HANDLER_SPURIOUS]: 'spurious',
  [C.HANDLER_EXTINT]: 'extint',
  [C.HANDLER_NMI]: 'nmi',
  [C.HANDLER_SMI]: 'smi',
  [C.TAKEN_INIT]: 'init',
  [C.TAKEN_SIPI]: 'sipi',
};
const EOI_KINDS = ['matched', 'stray', 'other'] as const;

/**
 * A minimal CPU beside its local APIC: interrupt flag, halt, interrupt shadow, a stack of running
 * handlers (at most 256). It says when an interrupt is taken and whose EOI an EOI was.
 */
export class Cpu {
  readonly index: number;
  readonly #core: CoreExports;
  readonly #done: () => void;

  /** Made by Machine.cpu(). */
  constructor(core: CoreExports, index: number, done: () => void) {
    this.#core = core;
    this.index = index;
    this.#done = done;
    lockFields(this, 'index');
  }

  /**
   * Takes what is due between two instructions: INIT, SIPI, SMI, NMI, ExtINT, vector, in this order.
   * Entering a handler clears IF. Undefined when nothing is taken.
   * @throws UsageError when one more could be taken and 256 handlers are open; nothing has changed then
   */
  take(): Taken | undefined {
    const code = this.#core.take(this.index);
    if (code === C.HANDLERS_FULL) throw this.#full();
    this.#done();
    return this.#taken(code);
  }

  /**
   * Whether take() would take something now: what is pending, against the interrupt flag, the shadow,
   * waiting for a SIPI and the handlers that run; true also when take() would throw because 256 are open. The one question of a host loop before each
   * instruction, and before it sleeps; `lapic.intr` and `lapic.outputs` are only the levels at the
   * CPU's pins, for hosts with a CPU of their own. Changes nothing.
   */
  get canTake(): boolean {
    return this.#core.canTake(this.index) === 1;
  }

  /** The running handler writes EOI. Without a running handler any vector ended counts as matched. */
  eoi(): EoiResult {
    const kind = EOI_KINDS[this.#core.handlerEoi(this.index) - 1]!;
    const view = new DataView(this.#core.memory.buffer);
    const vector = view.getInt32(L.H_RESULT, true);
    this.#done();
    return { kind, vector };
  }

  /** IRET (RSM after an SMI): what it returned from; IF is as before the handler. */
  iret(): Taken | undefined {
    const from = this.#taken(this.#core.iret(this.index));
    this.#done();
    return from;
  }

  get interruptFlag(): boolean {
    return this.#has(L.LATCH_IF);
  }

  set interruptFlag(on: boolean) {
    this.#core.setCpuState(this.index, L.LATCH_IF, checkBoolean('interruptFlag', on) ? 1 : 0);
    this.#done();
  }

  /** The next take() takes nothing: the instruction after STI or MOV SS. */
  shadow(): void {
    this.#core.setCpuState(this.index, L.LATCH_SHADOW, 1);
  }

  halt(): void {
    this.#core.setCpuState(this.index, L.LATCH_HALTED, 1);
  }

  get halted(): boolean {
    return this.#has(L.LATCH_HALTED);
  }

  get inShadow(): boolean {
    return this.#has(L.LATCH_SHADOW);
  }

  /** Waiting for a SIPI after INIT. */
  get waiting(): boolean {
    return this.#has(L.LATCH_WAITING);
  }

  /** Running handlers, outermost first. */
  get handlers(): Taken[] {
    const view = new DataView(this.#core.memory.buffer);
    const cold = view.getUint32(L.H_COLD, true) + this.index * L.COLD_BYTES;
    const depth = view.getUint32(cold + L.C_DEPTH, true);
    const stack = view.getUint32(L.H_HANDLERS, true) + this.index * L.HANDLERS_BYTES;
    return Array.from({ length: depth }, (_, i) => {
      return this.#taken(view.getUint16(stack + 2 * i, true) & 0xfff)!;
    });
  }

  #full(): Error {
    return usage(
      `cpu(${this.index}).take`,
      `interrupt ${L.HANDLERS_MAX + 1} inside open handlers`,
      `at most ${L.HANDLERS_MAX} handlers that have not returned`,
      'return from some with iret(), or take interrupts with lapic.acknowledge()',
    );
  }

  #has(bit: number): boolean {
    return (this.#latch() & bit) !== 0;
  }

  #latch(): number {
    const view = new DataView(this.#core.memory.buffer);
    const cold = view.getUint32(L.H_COLD, true) + this.index * L.COLD_BYTES;
    return view.getUint32(cold + L.C_LATCH, true);
  }

  #taken(code: number): Taken | undefined {
    return code < 0 ? undefined : { kind: KINDS[code >> 8]!, vector: code & 0xff };
  }
}
