// The bus by a predicate over every APIC, and Linux's senders as lists of writes, from the kernel's
// sources and the SDM. Nothing here comes from the core.
import type { Driver, Era, Mode } from '../../src/core/config.js';
import type { Op } from '../../src/machine/linux.js';
import { ReferenceApic } from './apic.js';

export interface ReferenceConfig {
  mode: Mode;
  driver: Driver;
  era: Era;
  apicIds: number[];
  noIpiBroadcast: boolean;
  hotplugCpu: boolean;
  vendor: 'intel' | 'amd';
}

interface Costs {
  icrWrites: number;
  icr2Writes: number;
  selfIpiWrites: number;
  fences: number;
  irqSaves: number;
  maskCopies: number;
  idlePolls: number;
  hypercalls: number;
}

const zeroCosts = (): Costs => ({
  icrWrites: 0,
  icr2Writes: 0,
  selfIpiWrites: 0,
  fences: 0,
  irqSaves: 0,
  maskCopies: 0,
  idlePolls: 0,
  hypercalls: 0,
});

const CALLER_VECTOR: Partial<Record<Op, number>> = {
  smp_send_reschedule: 0xfd,
  send_call_func_single_ipi: 0xfb,
  send_call_func_ipi: 0xfc,
  irq_work_raise: 0xf6,
};

export class ReferenceMachine {
  readonly apics: ReferenceApic[];
  readonly config: ReferenceConfig;
  readonly costs = zeroCosts();
  unclaimed = 0;

  constructor(config: ReferenceConfig) {
    this.config = config;
    this.apics = config.apicIds.map(() => new ReferenceApic());
  }

  // --- bus ---

  get #x2apic(): boolean {
    return this.config.mode.startsWith('x2apic');
  }

  /** SDM: does the APIC of `cpu` claim a message? */
  #claims(cpu: number, dest: number, logical: boolean): boolean {
    const id = this.config.apicIds[cpu]!;
    if (dest === (this.#x2apic ? 0xffffffff : 0xff)) return true;
    if (!logical) return id === dest;
    if (this.#x2apic) {
      return dest >>> 16 === ((id >>> 4) & 0xffff) && ((dest >>> (id & 15)) & 1) === 1;
    }
    if (this.config.mode === 'xapic-flat') return ((dest >> cpu) & 1) === 1;
    if (this.config.mode === 'xapic-physical') return false;
    return dest >> 4 === Math.floor(cpu / 4) && ((dest >> (cpu % 4)) & 1) === 1;
  }

  #deliver(cpu: number, low: number): void {
    if ((low & 0x700) === 0x400) this.apics[cpu]!.nmi();
    else this.apics[cpu]!.accept(low & 0xff, false);
  }

  icr(from: number, dest: number, low: number): void {
    const shorthand = (low >>> 18) & 3;
    // SDM, valid combinations: with self and all-including-self only fixed interrupts.
    if ((low & 0x700) === 0x400 && (shorthand === 1 || shorthand === 2)) return;
    const all = this.apics.map((_, cpu) => cpu);
    const targets =
      shorthand === 1
        ? [from]
        : shorthand === 2
          ? all
          : shorthand === 3
            ? all.filter((cpu) => cpu !== from)
            : all.filter((cpu) => this.#claims(cpu, dest, (low & 0x800) !== 0));
    if (targets.length === 0 && shorthand === 0) this.unclaimed++;
    for (const cpu of targets) this.#deliver(cpu, low);
  }

  // --- Linux ---

  get #new(): boolean {
    return this.config.era === 'linux-6.12';
  }

  get #native(): Driver {
    const { driver, mode } = this.config;
    if (driver !== 'kvm_pv' && driver !== 'hyperv') return driver;
    if (mode === 'x2apic-cluster') return 'x2apic_cluster';
    return mode === 'x2apic-physical' ? 'x2apic_phys' : 'physflat';
  }

  #fence(): void {
    if (!this.#new || this.config.vendor === 'intel') this.costs.fences++;
  }

  #command(vector: number, bits: number): number {
    return bits | (vector === 2 ? 0x400 : vector);
  }

  #msr(from: number, dest: number, low: number): void {
    this.costs.icrWrites++;
    this.icr(from, dest >>> 0, low);
  }

  #mmio(from: number, dest: number, low: number): void {
    this.costs.idlePolls++;
    this.costs.icr2Writes++;
    this.#msr(from, dest & 0xff, low);
  }

  #mmioShorthand(from: number, low: number): void {
    this.costs.idlePolls++;
    this.#msr(from, 0, low);
  }

  #logicalId(cpu: number): number {
    const id = this.config.apicIds[cpu]!;
    return ((id >>> 4) * 65536 + (1 << (id & 15))) >>> 0;
  }

  send(op: Op, from: number, cpus: number[], vectorWanted: number): void {
    const vector = CALLER_VECTOR[op] ?? vectorWanted;
    const mask = [...new Set(cpus)].sort((a, b) => a - b);
    const online = this.apics.map((_, cpu) => cpu);
    if (op === 'send_IPI' || op === 'smp_send_reschedule' || op === 'send_call_func_single_ipi') {
      this.#single(from, cpus[0] ?? 0, vector);
    } else if (op === 'send_IPI_mask') this.#mask(from, mask, vector);
    else if (op === 'send_IPI_mask_allbutself') this.#maskAllButSelf(from, mask, vector);
    else if (op === 'send_IPI_allbutself') this.#allButSelf(from, online, vector);
    else if (op === 'send_IPI_all') this.#all(from, online, vector);
    else if (op === 'send_call_func_ipi') this.#callMany(from, mask, online);
    else {
      this.#self(from, vector);
      if (op === 'irq_work_raise' && !this.#x2apic) this.costs.idlePolls++;
    }
  }

  #single(from: number, to: number, vector: number): void {
    if (this.config.driver === 'hyperv' && this.#hyperv(from, [to], vector, to >= 64)) return;
    const driver = this.#native;
    const has = this.#new
      ? driver !== 'default_32'
      : this.config.era.endsWith('send_IPI') && driver === 'x2apic_cluster';
    if (!has) return this.#nativeMask(from, [to], vector, false);
    if (driver === 'physflat') {
      this.costs.irqSaves++;
      this.#mmio(from, this.config.apicIds[to]!, this.#command(vector, 0));
      return;
    }
    this.#fence();
    if (driver === 'x2apic_cluster')
      this.#msr(from, this.#logicalId(to), this.#command(vector, 0x800));
    else this.#msr(from, this.config.apicIds[to]!, this.#command(vector, 0));
  }

  #mask(from: number, mask: number[], vector: number): void {
    if (this.config.driver === 'kvm_pv') return this.#kvm(mask, vector);
    if (this.config.driver === 'hyperv') {
      if (mask.length === 0 || this.#hyperv(from, mask, vector, mask.at(-1)! >= 64)) return;
    }
    this.#nativeMask(from, mask, vector, false);
  }

  #maskAllButSelf(from: number, mask: number[], vector: number): void {
    const others = mask.filter((cpu) => cpu !== from);
    if (this.config.driver === 'kvm_pv') {
      this.costs.maskCopies++;
      return this.#kvm(others, vector);
    }
    if (this.config.driver === 'hyperv') {
      if (others.length === 0 || this.#hyperv(from, others, vector, mask.at(-1)! >= 64)) return;
    }
    this.#nativeMask(from, mask, vector, true);
  }

  #nativeMask(from: number, mask: number[], vector: number, exceptSelf: boolean): void {
    const targets = exceptSelf ? mask.filter((cpu) => cpu !== from) : mask;
    const driver = this.#native;
    const bits = (cpus: number[]) => cpus.reduce((sum, cpu) => sum | (1 << cpu), 0);
    if (driver === 'flat' || (driver === 'default_32' && !exceptSelf)) {
      if (driver === 'default_32' && targets.length === 0) return;
      this.costs.irqSaves++;
      return this.#mmio(from, bits(targets), this.#command(vector, 0x800));
    }
    if (driver.startsWith('x2apic')) this.#fence();
    this.costs.irqSaves++;
    if (driver === 'x2apic_cluster') return this.#clusters(from, targets, vector);
    for (const cpu of targets) {
      if (driver === 'default_32') this.#mmio(from, 1 << cpu, this.#command(vector, 0x800));
      else if (driver === 'physflat')
        this.#mmio(from, this.config.apicIds[cpu]!, this.#command(vector, 0));
      else this.#msr(from, this.config.apicIds[cpu]!, this.#command(vector, 0));
    }
  }

  #clusters(from: number, targets: number[], vector: number): void {
    this.costs.maskCopies++;
    const byCluster = new Map<number, number>();
    for (const cpu of targets) {
      const cluster = this.config.apicIds[cpu]! >>> 4;
      byCluster.set(
        cluster,
        (byCluster.get(cluster) ?? 0) | (1 << (this.config.apicIds[cpu]! & 15)),
      );
    }
    for (const [cluster, members] of byCluster) {
      this.#msr(from, cluster * 65536 + members, this.#command(vector, 0x800));
    }
  }

  #shorthand(from: number, which: number, vector: number): void {
    const driver = this.#native;
    if (driver.startsWith('x2apic')) {
      this.#fence();
      return this.#msr(from, 0, this.#command(vector, which));
    }
    const logical = !this.#new && driver !== 'physflat' ? 0x800 : 0;
    this.#mmioShorthand(from, this.#command(vector, which | logical));
  }

  #allButSelf(from: number, online: number[], vector: number): void {
    const driver = this.#native;
    if (this.config.driver === 'hyperv') return this.#maskAllButSelf(from, online, vector);
    if (this.#new) return this.#shorthand(from, 0xc0000, vector);
    if (driver !== 'flat' && driver !== 'default_32')
      return this.#nativeMask(from, online, vector, true);
    if (online.length < 2) return;
    const { hotplugCpu, noIpiBroadcast } = this.config;
    const masked = hotplugCpu || vector === 2 || (driver === 'default_32' && noIpiBroadcast);
    if (masked) this.#nativeMask(from, online, vector, true);
    else this.#shorthand(from, 0xc0000, vector);
  }

  #all(from: number, online: number[], vector: number): void {
    const driver = this.#native;
    if (this.config.driver === 'hyperv' && this.#hyperv(from, online, vector, online.length > 64))
      return;
    if (this.#new) return this.#shorthand(from, 0x80000, vector);
    const { hotplugCpu, noIpiBroadcast } = this.config;
    const shorthand =
      vector !== 2 &&
      (driver === 'flat' || (driver === 'default_32' && !hotplugCpu && !noIpiBroadcast));
    if (shorthand) this.#shorthand(from, 0x80000, vector);
    else this.#nativeMask(from, online, vector, false);
  }

  #self(from: number, vector: number): void {
    if (this.config.driver === 'hyperv' && this.#hyperv(from, [from], vector, from >= 64)) return;
    const driver = this.#native;
    if (driver.startsWith('x2apic')) {
      this.costs.icrWrites++;
      this.costs.selfIpiWrites++;
      return this.apics[from]!.accept(vector, false);
    }
    const logical = !this.#new && driver === 'default_32' ? 0x800 : 0;
    this.#mmioShorthand(from, this.#command(vector, 0x40000 | logical));
  }

  #callMany(from: number, mask: number[], online: number[]): void {
    const others = online.filter((cpu) => cpu !== from);
    const same = (a: number[], b: number[]) =>
      a.length === b.length && a.every((cpu, i) => cpu === b[i]);
    if (!this.#new) {
      this.costs.maskCopies++;
      if (same(mask, others)) return this.#allButSelf(from, online, 0xfc);
      return this.#mask(from, mask, 0xfc);
    }
    const covers = same(
      [...new Set([...mask, from])].sort((a, b) => a - b),
      online,
    );
    if (this.config.noIpiBroadcast || online.length < 2 || !covers)
      return this.#mask(from, mask, 0xfc);
    if (mask.includes(from)) this.#all(from, online, 0xfc);
    else this.#allButSelf(from, online, 0xfc);
  }

  #kvm(mask: number[], vector: number): void {
    if (mask.length === 0) return;
    this.costs.irqSaves++;
    let window: number[] = [];
    for (const id of mask.map((cpu) => this.config.apicIds[cpu]!)) {
      const grown = [...window, id];
      if (Math.max(...grown) - Math.min(...grown) >= 128) {
        this.costs.hypercalls++;
        window = [id];
      } else window = grown;
    }
    this.costs.hypercalls++;
    for (const cpu of mask) this.#deliver(cpu, this.#command(vector, 0));
  }

  /** Whether Hyper-V takes it: fixed vectors from 16 on. EX saves the interrupt flag. */
  #hyperv(_from: number, targets: number[], vector: number, ex: boolean): boolean {
    if (vector < 16) return false;
    if (ex) this.costs.irqSaves++;
    this.costs.hypercalls++;
    for (const cpu of targets) this.apics[cpu]!.accept(vector, false);
    return true;
  }
}
