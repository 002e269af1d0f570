// A local APIC as the SDM describes it, slow and obvious: sets of vectors. Nothing here comes from
// the core.
const M = 0x9e3779b97f4a7c15n;
const MASK = (1n << 64n) - 1n;
const KIND = { accept: 1n, coalesce: 2n, reject: 3n, dispatch: 4n, eoi: 5n, stray: 6n, nmi: 7n };

const highest = (set: Set<number>) => (set.size === 0 ? -1 : Math.max(...set));
const sorted = (set: Set<number>) => [...set].sort((a, b) => a - b);

export class ReferenceApic {
  readonly irr = new Set<number>();
  readonly isr = new Set<number>();
  readonly tmr = new Set<number>();
  tpr = 0;
  chain = 0n;
  woken = false;
  readonly counters = {
    attempted: 0,
    delivered: 0,
    coalesced: 0,
    rejected: 0,
    pending: 0,
    eois: 0,
    strayEois: 0,
    nmis: 0,
    discarded: 0,
    otherEois: 0,
  };

  #note(kind: keyof typeof KIND, vector: number): void {
    this.chain = (this.chain * M + ((KIND[kind] << 8n) | BigInt(vector))) & MASK;
  }

  accept(vector: number, level: boolean): void {
    this.counters.attempted++;
    if (vector < 16) {
      this.counters.rejected++;
      this.#note('reject', vector);
      return;
    }
    if (level) this.tmr.add(vector);
    else this.tmr.delete(vector);
    if (this.irr.has(vector)) {
      this.counters.coalesced++;
      this.#note('coalesce', vector);
      return;
    }
    this.irr.add(vector);
    this.woken = true;
    this.#note('accept', vector);
  }

  get ppr(): number {
    const serving = Math.max(0, highest(this.isr));
    return this.tpr >> 4 >= serving >> 4 ? this.tpr : serving & 0xf0;
  }

  allows(vector: number): boolean {
    return vector >> 4 > this.ppr >> 4;
  }

  acknowledge(vector = highest(this.irr)): number {
    if (!this.irr.has(vector) || !this.allows(vector)) return -1;
    this.irr.delete(vector);
    this.isr.add(vector);
    this.counters.delivered++;
    this.#note('dispatch', vector);
    return vector;
  }

  eoi(): number {
    const vector = highest(this.isr);
    if (vector < 0) {
      this.counters.strayEois++;
      this.#note('stray', 0);
      this.#wakeIfAsserted();
      return -1;
    }
    this.isr.delete(vector);
    this.counters.eois++;
    this.#note('eoi', vector);
    this.#wakeIfAsserted();
    return vector;
  }

  #wakeIfAsserted(): void {
    if (this.irr.size > 0 && this.allows(highest(this.irr))) this.woken = true;
  }

  nmi(): void {
    this.counters.nmis++;
    this.woken = true;
    this.#note('nmi', 2);
  }

  setTpr(tpr: number): void {
    this.tpr = tpr;
    this.#wakeIfAsserted();
  }

  runHandlers(): void {
    while (this.acknowledge() >= 0) this.eoi();
    this.woken = false;
  }

  /** Everything a test can see. */
  state(): object {
    return {
      irr: sorted(this.irr),
      isr: sorted(this.isr),
      tmr: sorted(this.tmr),
      tpr: this.tpr,
      ppr: this.ppr,
      intr: this.irr.size > 0 && this.allows(highest(this.irr)),
      ...this.counters,
      pending: this.irr.size,
    };
  }
}

function mix(value: bigint): bigint {
  let v = value & MASK;
  v = ((v ^ (v >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  v = ((v ^ (v >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return v ^ (v >> 31n);
}

export function referenceHash(apics: readonly ReferenceApic[]): string {
  const sum = apics.reduce((h, apic, cpu) => h + mix(apic.chain + BigInt(cpu + 1) * M), 0n);
  return (sum & MASK).toString(16).padStart(16, '0');
}
