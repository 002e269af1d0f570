// The counters as plain objects.
import { L } from './memory.js';
import type { CoreExports } from './wasm.js';

/** What happened at the targets. Invariant: attempted = delivered + coalesced + rejected + discarded + pending. */
export interface Counters {
  /** Fixed interrupts that reached a local APIC. */
  attempted: number;
  /** Taken by the CPU (IRR -> ISR). */
  delivered: number;
  /** Merged into an IRR bit that was set already. */
  coalesced: number;
  /** Turned away: illegal vectors 0-15, a disabled local APIC, no free slot (P6). */
  rejected: number;
  /** Requests, posted ones too, that a reset cleared before the CPU took them. */
  discarded: number;
  /** IRR bits set now. */
  pending: number;
  /** EOIs that cleared an ISR bit. */
  eois: number;
  /** EOIs with nothing in service. */
  strayEois: number;
  /** EOIs that ended another vector than the running handler's (seen by machine.cpu()). */
  otherEois: number;
  /** NMIs; they bypass IRR and are not among the above. */
  nmis: number;
}

/** What the senders paid. */
export interface SenderCosts {
  /** Calls of an operation, or of writeIcr. */
  sends: number;
  /** Writes that send: ICR, or x2APIC SELF_IPI (counted again in selfIpiWrites). */
  icrWrites: number;
  /** xAPIC ICR high words. */
  icr2Writes: number;
  selfIpiWrites: number;
  /** mfence (4.0) or mfence;lfence (6.12) before an x2APIC write. */
  fences: number;
  /** local_irq_save / restore pairs. */
  irqSaves: number;
  /** Whole cpumask copies. */
  maskCopies: number;
  /** 64-bit cpumask words that the kernel's code touches: copies, walks, compares. */
  maskWords: number;
  /** Reads of the xAPIC delivery status. */
  idlePolls: number;
  hypercalls: number;
  /** Messages that no local APIC claimed. */
  unclaimed: number;
}

const LEDGER: readonly (keyof SenderCosts)[] = [
  'sends',
  'icrWrites',
  'icr2Writes',
  'selfIpiWrites',
  'fences',
  'irqSaves',
  'maskCopies',
  'maskWords',
  'idlePolls',
  'hypercalls',
  'unclaimed',
];

export function readSenderCosts(view: DataView): SenderCosts {
  const costs = {} as SenderCosts;
  LEDGER.forEach((name, i) => {
    costs[name] = Number(view.getBigUint64(L.L_SENDS + i * 8, true));
  });
  return costs;
}

/** camelCase to the snake_case of JSON output. */
export function snakeKeys<T extends object>(value: T): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => [k.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`), v]),
  );
}

/** Counters of CPUs `first` to `last`. */
export function sumCounters(core: CoreExports, first: number, last: number): Counters {
  const sum = emptyCounters();
  const view = new DataView(core.memory.buffer);
  const rows = view.getUint32(L.H_ROWS, true);
  const colds = view.getUint32(L.H_COLD, true);
  const read = (at: number) => Number(view.getBigUint64(at, true));
  for (let cpu = first; cpu <= last; cpu++) {
    const row = rows + cpu * L.ROW_BYTES;
    const cold = colds + cpu * L.COLD_BYTES;
    sum.attempted += read(row + L.R_ATTEMPTED);
    sum.delivered += read(row + L.R_DELIVERED);
    sum.coalesced += read(row + L.R_COALESCED);
    sum.rejected += read(row + L.R_REJECTED);
    sum.eois += read(row + L.R_EOIS);
    sum.strayEois += read(row + L.R_STRAY_EOIS);
    sum.discarded += read(cold + L.C_DISCARDED);
    sum.otherEois += read(cold + L.C_OTHER_EOIS);
    sum.nmis += read(cold + L.C_NMIS);
    sum.pending += core.pending(cpu);
  }
  return sum;
}

function emptyCounters(): Counters {
  return {
    attempted: 0,
    delivered: 0,
    coalesced: 0,
    rejected: 0,
    discarded: 0,
    pending: 0,
    eois: 0,
    strayEois: 0,
    otherEois: 0,
    nmis: 0,
  };
}
