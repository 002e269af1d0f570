// A pure-JS twin of the core's algorithm: class words, class summaries, counters and a 32-bit event
// chain per CPU in typed arrays. It does a little less than the core (32-bit hash, no ledger).
const MULTIPLIER = 0x9e3779b1;

export class Twin {
  constructor(cpus) {
    this.cpus = cpus;
    this.irr = new Uint16Array(cpus * 16);
    this.isr = new Uint16Array(cpus * 16);
    this.irrClasses = new Uint16Array(cpus);
    this.isrClasses = new Uint16Array(cpus);
    this.tpr = new Uint8Array(cpus);
    this.hash = new Int32Array(cpus);
    this.attempted = new Float64Array(cpus);
    this.delivered = new Float64Array(cpus);
    this.eois = new Float64Array(cpus);
    this.coalesced = new Float64Array(cpus);
    this.listed = new Uint8Array(cpus);
    this.wake = new Uint32Array(cpus);
    this.woken = 0;
    this.cpuOf = new Map(Array.from({ length: cpus }, (_, i) => [i, i]));
    this.mask = new Uint32Array((cpus + 31) >> 5);
    this.copy = new Uint32Array((cpus + 31) >> 5);
    this.source = 0;
    this.turn = 0;
  }

  accept(cpu, vector) {
    this.attempted[cpu]++;
    const slot = cpu * 16 + (vector >> 4);
    const bit = 1 << (vector & 15);
    if (this.irr[slot] & bit) {
      this.coalesced[cpu]++;
      this.hash[cpu] = Math.imul(this.hash[cpu], MULTIPLIER) + (0x200 | vector);
      return;
    }
    this.irr[slot] |= bit;
    this.irrClasses[cpu] |= 1 << (vector >> 4);
    this.hash[cpu] = Math.imul(this.hash[cpu], MULTIPLIER) + (0x100 | vector);
    if (!this.listed[cpu]) {
      this.listed[cpu] = 1;
      this.wake[this.woken++] = cpu;
    }
  }

  dispatch(cpu) {
    const blocked = this.isrClasses[cpu] | (1 << (this.tpr[cpu] >> 4));
    const requests = this.irrClasses[cpu] & ~blocked;
    if (requests <= blocked) return -1;
    const top = 31 - Math.clz32(requests);
    const slot = cpu * 16 + top;
    const bit = 31 - Math.clz32(this.irr[slot]);
    this.irr[slot] ^= 1 << bit;
    if (this.irr[slot] === 0) this.irrClasses[cpu] &= ~(1 << top);
    this.isr[slot] |= 1 << bit;
    this.isrClasses[cpu] |= 1 << top;
    this.delivered[cpu]++;
    this.hash[cpu] = Math.imul(this.hash[cpu], MULTIPLIER) + (0x400 | (top << 4) | bit);
    return (top << 4) | bit;
  }

  eoi(cpu) {
    const serving = this.isrClasses[cpu];
    if (serving === 0) return -1;
    const top = 31 - Math.clz32(serving);
    const slot = cpu * 16 + top;
    const bit = 31 - Math.clz32(this.isr[slot]);
    this.isr[slot] ^= 1 << bit;
    if (this.isr[slot] === 0) this.isrClasses[cpu] &= ~(1 << top);
    this.eois[cpu]++;
    this.hash[cpu] = Math.imul(this.hash[cpu], MULTIPLIER) + (0x500 | (top << 4) | bit);
    return (top << 4) | bit;
  }

  drain() {
    for (let i = 0; i < this.woken; i++) {
      const cpu = this.wake[i];
      this.listed[cpu] = 0;
      while (this.dispatch(cpu) >= 0) this.eoi(cpu);
    }
    this.woken = 0;
  }

  /** Physical ICR write. */
  icr(dest, low) {
    const cpu = this.cpuOf.get(dest);
    if (cpu !== undefined) this.accept(cpu, low & 0xff);
  }

  /** Logical x2APIC ICR write (dense ids). */
  icrLogical(dest, low) {
    const base = (dest >>> 16) << 4;
    for (let places = dest & 0xffff; places; places &= places - 1) {
      const cpu = this.cpuOf.get(base + 31 - Math.clz32(places & -places));
      if (cpu !== undefined) this.accept(cpu, low & 0xff);
    }
  }

  sendMask(vector) {
    this.copy.set(this.mask);
    for (let word = 0; word < this.copy.length; word++) {
      while (this.copy[word] !== 0) {
        const first = word * 32 + 31 - Math.clz32(this.copy[word] & -this.copy[word]);
        const shift = first & 16;
        const members = (this.copy[word] >>> shift) & 0xffff;
        this.copy[word] &= ~(0xffff << shift);
        this.icrLogical((((first >> 4) << 16) | members) >>> 0, vector);
      }
    }
  }

  nextSource() {
    const source = this.source;
    this.source = source + 1 === this.cpus ? 0 : source + 1;
    return source;
  }

  nextVector(vectors) {
    const vector = vectors[this.turn];
    this.turn = this.turn + 1 === vectors.length ? 0 : this.turn + 1;
    return vector;
  }

  ring(count, vectors, depth, via) {
    for (let i = 0; i < count; i++) {
      const from = this.nextSource();
      const to = from + 1 === this.cpus ? 0 : from + 1;
      const vector = this.nextVector(vectors);
      if (via === 'icr') this.icr(to, vector);
      else if (via === 'single')
        this.icrLogical((((to >> 4) << 16) | (1 << (to & 15))) >>> 0, vector);
      else {
        this.mask[to >> 5] |= 1 << (to & 31);
        this.sendMask(vector);
        this.mask[to >> 5] = 0;
      }
      if ((i + 1) % depth === 0) this.drain();
    }
  }

  multicast(count, vectors, size) {
    for (let i = 0; i < count; i++) {
      const from = this.nextSource();
      for (let n = 1; n <= size; n++) {
        const cpu = (from + n) % this.cpus;
        this.mask[cpu >> 5] |= 1 << (cpu & 31);
      }
      this.sendMask(this.nextVector(vectors));
      this.mask.fill(0);
      this.drain();
    }
  }

  broadcast(count, vectors) {
    for (let i = 0; i < count; i++) {
      const from = this.nextSource();
      const vector = this.nextVector(vectors);
      for (let cpu = 0; cpu < this.cpus; cpu++) if (cpu !== from) this.accept(cpu, vector);
      this.drain();
    }
  }

  totals() {
    const sum = (list) => list.reduce((a, b) => a + b, 0);
    return {
      attempted: sum(this.attempted),
      delivered: sum(this.delivered),
      coalesced: sum(this.coalesced),
      eois: sum(this.eois),
    };
  }
}
