// One local APIC's state in the layout of KVM_GET_LAPIC / KVM_SET_LAPIC: 1024 bytes, each register in
// the first four bytes of its 16, the x2APIC ICR split. KVM, OpenVMM and crosvm share it.

import { checkBytes } from '../../core/check.js';
import { usage } from '../../core/errors.js';
import { C, L } from '../../core/memory.js';
import type { CoreExports } from '../../core/wasm.js';

export const PAGE_BYTES = 1024;
const ID = 0x02;
const TPR = 0x08;
const EOI = 0x0b;
const LDR = 0x0d;
const DFR = 0x0e;
const SELF_IPI = 0x3f;
const ISR = 0x10;
/** Vectors 0-15 are never in service, and pending only where the model lets them. */
const LEGAL_VECTORS = 0xffff0000;
const SETS: [reg: number, inRow: boolean, at: number][] = [
  [ISR, true, L.R_ISR],
  [0x18, false, L.C_TMR],
  [0x20, true, L.R_IRR],
];
/** Registers that are one word of the cold row. */
const WORDS: [reg: number, at: number][] = [
  [DFR, L.C_DFR],
  [0x0f, L.C_SVR],
  [0x28, L.C_ESR],
  [0x30, L.C_ICR],
  [0x31, L.C_ICR_HIGH],
  [0x2f, L.C_LVT + 24],
  [0x32, L.C_LVT],
  [0x33, L.C_LVT + 4],
  [0x34, L.C_LVT + 8],
  [0x35, L.C_LVT + 12],
  [0x36, L.C_LVT + 16],
  [0x37, L.C_LVT + 20],
  [0x38, L.C_INITIAL_COUNT],
  [0x3e, L.C_DIVIDE],
];

export function exportPage(core: CoreExports, cpu: number): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  const out = new DataView(page.buffer);
  for (let reg = 0; reg < 64; reg++) {
    if (reg !== EOI && reg !== SELF_IPI && reg !== DFR)
      out.setUint32(reg * 16, core.peek(cpu, reg) >>> 0, true);
  }
  const view = new DataView(core.memory.buffer);
  const cold = view.getUint32(L.H_COLD, true) + cpu * L.COLD_BYTES;
  out.setUint32(DFR * 16, view.getUint32(cold + L.C_DFR, true), true); // also in x2APIC mode
  return page;
}

/**
 * Takes a page over: vectors, priorities, LVTs, ids and logical ids of the present mode; the timer
 * starts anew with what is left of its count. Mode and base come from IA32_APIC_BASE, not from here.
 * @throws UsageError for a page of another size, or an impossible state
 */
export function importPage(core: CoreExports, cpu: number, page: Uint8Array): void {
  checkBytes('page', page, `a Uint8Array of ${PAGE_BYTES}, as KVM_GET_LAPIC fills it`);
  if (page.length !== PAGE_BYTES) {
    throw usage('page', `${page.length} bytes`, `${PAGE_BYTES} bytes, as KVM_GET_LAPIC fills them`);
  }
  const view = new DataView(core.memory.buffer);
  const source = new DataView(page.buffer, page.byteOffset, page.length);
  const row = view.getUint32(L.H_ROWS, true) + cpu * L.ROW_BYTES;
  const cold = view.getUint32(L.H_COLD, true) + cpu * L.COLD_BYTES;
  const x2apic = (view.getBigUint64(cold + L.C_BASE, true) & 0x400n) !== 0n;
  const lowPending = view.getUint32(L.H_MODEL + 4 * C.F_LOW_VECTORS, true) !== C.LOW_ERROR;
  const pendingBefore = core.pending(cpu);
  for (const [reg, inRow, at] of SETS) {
    for (let word = 0; word < 8; word++) {
      const legal = word > 0 || (reg !== ISR && lowPending) ? 0xffffffff : LEGAL_VECTORS;
      const bits = source.getUint32((reg + word) * 16, true) & legal;
      view.setUint32((inRow ? row : cold) + at + word * 4, bits, true);
    }
  }
  summarise(view, row, cold, source.getUint32(TPR * 16, true) & 0xff);
  for (const [reg, at] of WORDS) view.setUint32(cold + at, source.getUint32(reg * 16, true), true);
  if (!x2apic) {
    view.setUint32(cold + L.C_XAPIC_ID, source.getUint32(ID * 16, true) >>> 24, true);
    view.setUint32(cold + L.C_LDR, source.getUint32(LDR * 16, true) & 0xff000000, true);
  }
  balance(view, row, core.pending(cpu) - pendingBefore);
  core.registersChanged(cpu, source.getUint32(0x39 * 16, true));
}

/** The class summary of a row whose vectors were written word by word. */
function summarise(view: DataView, row: number, cold: number, tpr: number): void {
  const classes = (at: number) => {
    let bits = 0;
    for (let i = 0; i < 16; i++) if (view.getUint16(at + 2 * i, true) !== 0) bits |= 1 << i;
    return BigInt(bits);
  };
  const flags =
    view.getBigUint64(row + L.R_CLASSES, true) & (0xffn << BigInt(L.CLASSES_HOLD_SHIFT));
  const summary =
    classes(row + L.R_IRR) |
    (classes(row + L.R_ISR) << BigInt(L.CLASSES_ISR_SHIFT)) |
    (BigInt(tpr) << BigInt(L.CLASSES_TPR_SHIFT)) |
    flags |
    (classes(cold + L.C_TMR) << BigInt(L.CLASSES_TMR_SHIFT));
  view.setBigUint64(row + L.R_CLASSES, summary, true);
}

/** Vectors that came or went with the page count as attempted, so that the books stay balanced. */
function balance(view: DataView, row: number, change: number): void {
  const attempted = view.getBigUint64(row + L.R_ATTEMPTED, true) + BigInt(change);
  view.setBigUint64(row + L.R_ATTEMPTED, BigInt.asUintN(64, attempted), true);
}
