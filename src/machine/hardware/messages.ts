// Messages from outside the CPUs, and what operations did.

import {
  checkBoolean,
  checkOptions,
  checkRegister,
  checkWide,
  type KeysOf,
} from '../../core/check.js';
import { checkInteger, usage } from '../../core/errors.js';
import { C, L } from '../../core/memory.js';
import type { CoreExports } from '../../core/wasm.js';

/** A message of an I/O APIC or a device on the bus. */
export interface Message {
  /** Destination id: 8 bits in xAPIC systems, up to 32 with x2APIC. */
  dest: number;
  logical?: boolean;
  /** 0 fixed, 1 lowest priority, 2 SMI, 4 NMI, 5 INIT, 6 SIPI, 7 ExtINT. Default 0. */
  delivery?: number;
  /** 0-255. */
  vector: number;
  /** Level-triggered: TMR bit, EOI broadcast. Default false. */
  level?: boolean;
}

/** One thing that an operation did at a local APIC. */
export interface Effect {
  cpu: number;
  kind: 'set' | 'eoi' | 'init' | 'sipi' | 'nmi' | 'smi' | 'extint';
  /** IRR vector, vector ended (-1: stray EOI), start-up vector; 0 for the others. */
  vector: number;
  /** Level-triggered. */
  level: boolean;
  /** The IRR bit was set already. */
  was: boolean;
}

const EFFECTS: Record<number, Effect['kind']> = {
  [C.EFFECT_SET]: 'set',
  [C.EFFECT_EOI]: 'eoi',
  [C.EFFECT_NMI]: 'nmi',
  [C.EFFECT_SMI]: 'smi',
  [C.EFFECT_INIT]: 'init',
  [C.EFFECT_SIPI]: 'sipi',
  [C.EFFECT_EXTINT]: 'extint',
};

const MESSAGE_KEYS: KeysOf<Message> = {
  dest: true,
  logical: true,
  delivery: true,
  vector: true,
  level: true,
};

/** How many local APICs took it; -1 when nobody was addressed. */
export function sendMessage(core: CoreExports, message: Message): number {
  checkOptions('message', message, MESSAGE_KEYS);
  const { dest, vector, delivery = 0, logical = false, level = false } = message;
  checkInteger('dest', dest, 0, 0xffffffff);
  checkInteger('vector', vector, 0, 255);
  checkInteger('delivery', delivery, 0, 7);
  checkBoolean('logical', logical);
  checkBoolean('level', level);
  const low = vector | (delivery << 8) | (logical ? C.ICR_LOGICAL : 0) | (level ? 0x8000 : 0);
  return core.message(dest, low, 0);
}

const MSI_WINDOW = 0xfeen;

/**
 * A write to the MSI window. SDM 3A "Message Signalled Interrupts".
 * @param address 0xfee00000-0xfeefffff; bits 63:40 extend the destination (as KVM has it)
 */
export function sendMsi(
  core: CoreExports,
  flags: Uint32Array,
  address: bigint | number,
  data: number,
): number {
  // 0xfee00000 | ... is a negative number.
  const negative = typeof address === 'number' && address < 0;
  const wide = negative ? BigInt(checkRegister('address', address)) : checkWide('address', address);
  const word = checkRegister('data', data);
  if (((wide >> 20n) & 0xfffn) !== MSI_WINDOW) return -1;
  const emulated = flags[C.F_SHORTHANDS] === C.SHORTHANDS_ALL;
  const hint = (wide & 8n) !== 0n && flags[C.F_MSI_HINT] !== 0;
  const logical = (wide & 4n) !== 0n && (hint || emulated);
  if ((word & 0xc000) === 0x8000 && !emulated) return 0;
  const dest = Number(((wide >> 12n) & 0xffn) | ((wide >> 32n) & 0xffffff00n));
  const low = (word & 0x7ff) | (word & 0x8000) | (logical ? C.ICR_LOGICAL : 0);
  return core.message(dest, low, hint ? 1 : 0);
}

export function takeEffects(core: CoreExports): Effect[] {
  const count = core.takeEffects();
  const view = new DataView(core.memory.buffer);
  const base = view.getUint32(L.H_EFFECTS, true);
  const most = view.getUint32(L.H_EFFECT_CAPACITY, true);
  if (count > most)
    throw usage(
      'effects',
      `${count} since the last call`,
      `at most ${most}`,
      'take them more often',
    );
  return Array.from({ length: count }, (_, i) => {
    const at = base + i * L.LOG_BYTES;
    const bits = view.getUint32(at + 12, true);
    return {
      kind: EFFECTS[view.getUint32(at, true)]!,
      cpu: view.getUint32(at + 4, true),
      vector: view.getInt32(at + 8, true),
      level: (bits & 1) !== 0,
      was: (bits & 2) !== 0,
    };
  });
}
