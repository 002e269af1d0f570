// The whole machine by the SDM's text: every message asks every local APIC. Nothing here comes from
// the core; KVM's destinations are from Linux's arch/x86/kvm/lapic.c.
import type { Hardware, HardwareConfig, MachineState, Operation } from '../hardware/operations.js';
import { IoapicModel } from './ioapic-model.js';
import { flagsOf, LapicModel, type World } from './lapic-model.js';
import { PicModel } from './pic-model.js';
import { RegisterAccess } from './register-access.js';
import { RULES } from './rules.js';

type Source = LapicModel | undefined;
interface Message {
  source: Source;
  dest: number;
  /** ICR format. */
  low: number;
  hint: boolean;
}

const KNOWN = new Set(RULES);
const BROADCAST = 0xffffffff;
const deliveryOf = (low: number): number => (low >> 8) & 7;
const isVectored = (low: number): boolean => deliveryOf(low) <= 1;
const bits = (word: number): number[] =>
  Array.from({ length: 32 }, (_, i) => i).filter((i) => (word >>> i) & 1);

export class ReferenceHardware implements Hardware {
  readonly config: HardwareConfig;
  readonly covered = new Map<string, number>();
  readonly apics: LapicModel[];
  readonly ioapics: IoapicModel[];
  readonly pic: PicModel;
  readonly #access: RegisterAccess[];
  #now = 0n;
  #bus = { messages: 0, retries: 0, clocks: 0 };
  #unclaimed = 0;

  constructor(config: HardwareConfig) {
    this.config = config;
    const flags = flagsOf(config.model);
    const cover = (rule: string) => this.cover(rule);
    this.pic = new PicModel(cover);
    const world: World = {
      flags,
      early: config.isrSetAt === 'dispatch',
      now: () => this.#now,
      cover,
      picOutput: () => this.pic.output,
      acknowledgePic: () => this.#picChange(() => this.pic.acknowledge()),
      virtualWire: (apic) => this.#wireReaches(apic),
      eoiBroadcast: (apic, vector) => this.#broadcastEoi(apic, vector),
    };
    this.apics = config.apicIds.map((id, index) => new LapicModel(index, id, world));
    this.ioapics = (config.ioapics ?? [{ pins: 24, version: 0x20, id: 0 }]).map(
      (io, n) =>
        new IoapicModel(n, io, {
          now: () => this.#now,
          cover,
          brake: flags.storm_brake as number,
          // With a split irqchip the I/O APIC is QEMU's.
          peer: ({ kvm: 'kvm', qemu: 'qemu', 'kvm-split': 'qemu' } as const)[config.model as 'kvm'],
          send: (ioapic, dest, low) => this.#ioapicSend(ioapic, dest, low),
        }),
    );
    this.#access = this.apics.map(
      (apic) => new RegisterAccess(apic, { send: (from, dest, low) => this.#ipi(from, dest, low) }),
    );
    for (const apic of this.apics) apic.powerOn();
    if (config.start !== 'reset') for (const apic of this.apics) this.#enable(apic);
    for (const apic of this.apics) apic.settle();
  }

  /** Notes that a rule was applied. */
  cover(rule: string): void {
    if (!KNOWN.has(rule)) throw new Error(`rule "${rule}" is not in rules.ts`);
    this.covered.set(rule, (this.covered.get(rule) ?? 0) + 1);
  }

  get #flags() {
    return this.apics[0]!.flags;
  }

  get #serial(): boolean {
    return this.#flags.slots !== 'none';
  }

  #enable(apic: LapicModel): void {
    const { start } = this.config;
    const cpu = apic.index;
    if (start === 'x2apic') {
      apic.base |= 0x400n;
      apic.ldr = apic.derivedLdr;
    }
    if (start === 'xapic-flat') apic.ldr = (1 << (24 + cpu)) >>> 0;
    if (start === 'xapic-cluster') {
      apic.dfr = 0x0fffffff;
      apic.ldr = (((cpu >> 2) << 28) | (1 << (24 + (cpu & 3)))) >>> 0;
    }
    apic.svr = 0x1ff;
    apic.interruptFlag = true;
    apic.waiting = false;
  }

  // --- who is addressed. SDM "Determining IPI Destination" ---

  #addressed({ source, dest, low }: Message): LapicModel[] {
    const shorthand = (low >>> 18) & 3;
    return this.apics.filter((apic) => {
      if (!apic.enabled) return false;
      if (shorthand === 1) return apic === source;
      if (shorthand === 2) return true;
      if (shorthand === 3) return apic !== source;
      return low & 0x800 ? this.#matchesLogical(apic, dest) : this.#matchesPhysical(apic, dest);
    });
  }

  #matchesPhysical(apic: LapicModel, dest: number): boolean {
    if (apic.x2apic) return dest === BROADCAST || dest === apic.initialId;
    const id = dest & apic.idMask;
    return id === apic.idMask || id === apic.xapicId;
  }

  #matchesLogical(apic: LapicModel, dest: number): boolean {
    if (apic.x2apic) {
      this.cover('logical: x2APIC cluster');
      return (
        dest === BROADCAST || (dest >>> 16 === apic.ldr >>> 16 && (dest & apic.ldr & 0xffff) !== 0)
      );
    }
    const mda = dest & 0xff;
    const own = apic.ldr >>> 24;
    if (mda === 0xff && this.#flags.logical_ones === 'everyone') return true;
    const model = apic.dfr >>> 28;
    if (model === 15) return (mda & own) !== 0;
    if (model !== 0) return false;
    this.cover('logical: xAPIC cluster');
    const wildcard = mda >> 4 === 15 && this.#flags.cluster_f === 'wildcard';
    return (wildcard || mda >> 4 === own >> 4) && (mda & own & 15) !== 0;
  }

  // --- lowest priority. SDM "Lowest Priority Delivery Mode" ---

  #lowest(message: Message, addressed: LapicModel[]): LapicModel | undefined {
    const vector = message.low & 0xff;
    const rule = this.#flags.lowest_priority;
    if (rule === 'first') return addressed[0];
    const enabled = addressed.filter((apic) => apic.softwareEnabled);
    if (rule !== 'tpr') {
      const focus = enabled.find((apic) => this.#isFocus(apic, vector));
      if (focus) {
        this.cover('lowest priority: focus processor');
        return focus;
      }
    }
    const ready = enabled.filter((apic) => apic.hasSlot(vector));
    const priority = (apic: LapicModel) => (rule === 'tpr' ? apic.tpr >> 4 : apic.apr);
    const tie = (apic: LapicModel) =>
      rule === 'apr-arb' ? apic.arb : rule === 'apr-id' ? apic.initialId : 0;
    this.cover(`lowest priority: ${rule}`);
    return [...ready].sort(
      (a, b) => priority(a) - priority(b) || tie(b) - tie(a) || a.index - b.index,
    )[0];
  }

  #isFocus(apic: LapicModel, vector: number): boolean {
    return (apic.svr & 0x200) === 0 && (apic.irr.has(vector) || apic.isr.has(vector));
  }

  // --- messages ---

  #ipi(source: LapicModel, dest: number, low: number): void {
    const shorthand = (low >>> 18) & 3;
    const delivery = deliveryOf(low);
    if (shorthand && this.#flags.shorthands === 'legal') {
      const legal = shorthand === 3 ? delivery !== 7 : delivery === 0;
      if (!legal) {
        this.cover('ICR: shorthand with an illegal delivery mode');
        return;
      }
    }
    if (isVectored(low)) {
      if (delivery === 1 && source.x2apic && this.#flags.x2apic_lowest === 'reserved')
        return source.collect(0x10);
      if ((low & 0xff) < 16 && this.#flags.send_illegal === 'error') source.collect(0x20);
    }
    const message = { source, dest, low, hint: false };
    if (!this.#serial || shorthand === 1) {
      this.#distribute(message);
      return;
    }
    if (this.#transmit(message) === 'rejected') source.busPending = { dest, low };
    else this.#rotate(source);
  }

  #isDropped(low: number): boolean {
    if ((low & 0xc000) !== 0x8000) return false;
    if (isVectored(low)) return this.#flags.level_deassert === 'drops';
    return deliveryOf(low) === 5;
  }

  #isLowest({ low, hint }: Message): boolean {
    return deliveryOf(low) === 1 || (hint && isVectored(low));
  }

  /** How many took it, -1 when nobody was addressed. */
  #distribute(message: Message): number {
    if (this.#isDropped(message.low)) {
      this.cover('message: level de-assert');
      if (deliveryOf(message.low) === 5) this.#synchronise(message);
      return 0;
    }
    if (this.#flags.lowest_priority === 'hash') return this.#kvmDistribute(message);
    const addressed = this.#addressed(message);
    if (addressed.length === 0) return this.#nobody(message);
    if (this.#isLowest(message)) {
      const chosen = this.#lowest(message, addressed);
      return chosen && this.#give(chosen, message) ? 1 : 0;
    }
    return addressed.filter((apic) => this.#give(apic, message)).length;
  }

  #nobody({ low }: Message): number {
    if (((low >>> 18) & 3) === 0) this.#unclaimed++;
    return -1;
  }

  #synchronise(message: Message): void {
    if (this.#flags.init_deassert !== 'arb-id') return;
    this.cover('INIT: level de-assert sets arbitration ids');
    for (const apic of this.#addressed(message)) apic.arb = apic.xapicId & 15;
  }

  #give(apic: LapicModel, { source, low }: Message): boolean {
    const level = (low & 0x8000) !== 0 && (!source || this.#flags.ipi_trigger === 'icr');
    const delivery = deliveryOf(low);
    if (delivery <= 1) return apic.accept(low & 0xff, level);
    if (delivery === 2) apic.smi = true;
    else if (delivery === 4) apic.raiseNmi();
    else if (delivery === 5) apic.raiseInit();
    else if (delivery === 6) apic.raiseSipi(low & 0xff);
    else if (delivery === 7) return this.#giveExtint(apic, source, low, level);
    else return apic.isKvm;
    return true;
  }

  #giveExtint(apic: LapicModel, source: Source, low: number, level: boolean): boolean {
    const rule = this.#flags.extint_ipi;
    if (rule === 'fixed') return apic.accept(low & 0xff, level);
    if (rule !== 'legal' && (source || apic.isKvm)) return false;
    this.cover('message: ExtINT');
    apic.extintLatch = true;
    return true;
  }

  // --- KVM: a map of ids where it can, a scan where it must ---

  #kvmDistribute(message: Message): number {
    const { source, dest, low } = message;
    const shorthand = (low >>> 18) & 3;
    if (shorthand === 1) return this.#give(source!, message) ? 1 : 0;
    const map = this.#kvmMap();
    if (!this.#kvmPhysicalMap()) this.cover('KVM: no map, two have one id');
    // kvm_apic_is_broadcast_dest(), with and without the quirk.
    const broadcast =
      this.#flags.broadcast_dest === 'map'
        ? dest === BROADCAST || (dest === 0xff && map !== 'x2apic')
        : dest === (source?.x2apic ? BROADCAST : 0xff);
    if (shorthand || broadcast || !this.#kvmPhysicalMap()) return this.#kvmScan(message);
    if (!(low & 0x800)) return this.#kvmPlaces(message, this.#kvmPhysical(dest));
    if (map === 'none') return this.#kvmScan(message);
    let places = bits(
      map === 'empty'
        ? 0
        : map === 'flat'
          ? dest & 0xff
          : map === 'cluster'
            ? dest & 15
            : dest & 0xffff,
    );
    if (map === 'x2apic') {
      const top = Math.max(255, ...this.apics.filter((a) => a.enabled).map((a) => a.initialId));
      const base = (dest >>> 16) * 16;
      places = places.filter((place) => base + place <= top);
    }
    if (this.#kvmLowest(message) && places.length > 0) {
      this.cover('lowest priority: hash');
      places = [places[(low & 0xff) % places.length]!];
    }
    return this.#kvmPlaces(
      message,
      places.flatMap((place) => this.#kvmAt(map, dest, place)),
    );
  }

  #kvmLowest({ low, hint }: Message): boolean {
    return deliveryOf(low) === 1 || hint;
  }

  #kvmPlaces(message: Message, apics: LapicModel[]): number {
    if (apics.length === 0) this.#nobody(message);
    return apics.filter((apic) => this.#give(apic, message)).length;
  }

  // kvm_apic_match_physical_addr()
  #kvmAnswers(apic: LapicModel, id: number): boolean {
    return apic.x2apic || id > 0xff ? apic.initialId === id : apic.xapicId === id;
  }

  /** kvm_recalculate_phys_map(): by id, or none when two share one and user space has no 32-bit ids. */
  #kvmPhysicalMap(): Map<number, LapicModel> | undefined {
    const map = new Map<number, LapicModel>();
    const format = this.#flags.broadcast_dest === 'map';
    for (const apic of this.apics.filter((a) => a.enabled)) {
      const id = apic.x2apic ? apic.initialId : apic.xapicId;
      if (!format && map.has(id)) return undefined;
      if (apic.x2apic || (format && apic.initialId > 0xff)) map.set(apic.initialId, apic);
      if (!apic.x2apic && !map.has(apic.xapicId)) map.set(apic.xapicId, apic);
    }
    return map;
  }

  #kvmPhysical(id: number): LapicModel[] {
    return [this.#kvmPhysicalMap()!.get(id)].filter((apic) => apic !== undefined);
  }

  #kvmMap(): 'empty' | 'flat' | 'cluster' | 'x2apic' | 'none' {
    const mapped = this.apics.filter(
      (apic) => apic.enabled && apic.softwareEnabled && apic.ldr !== 0,
    );
    const modes = new Set(
      mapped.map((a) => (a.x2apic ? 'x2apic' : a.dfr === BROADCAST ? 'flat' : 'cluster')),
    );
    if (modes.size === 0) return 'empty';
    if (modes.size > 1) return 'none';
    const mode = [...modes][0] as 'flat' | 'cluster' | 'x2apic';
    if (mode === 'x2apic') return mode;
    const taken = new Set<string>();
    for (const apic of mapped) {
      const own = apic.ldr >>> 24;
      const members = mode === 'flat' ? own : own & 15;
      const name = mode === 'flat' ? `${members}` : `${own}`;
      if (members === 0) continue;
      if (bits(members).length !== 1 || taken.has(name)) return 'none';
      taken.add(name);
    }
    return mode;
  }

  #kvmAt(map: string, dest: number, place: number): LapicModel[] {
    if (map === 'x2apic') return this.#kvmPhysical((dest >>> 16) * 16 + place);
    return this.apics.filter((apic) => {
      const own = apic.ldr >>> 24;
      const members = map === 'flat' ? own : own & 15;
      const here = apic.enabled && apic.softwareEnabled && members === 1 << place;
      return here && (map === 'flat' || own >> 4 === ((dest >>> 4) & 15));
    });
  }

  #kvmScan(message: Message): number {
    const { source, dest, low } = message;
    const shorthand = (low >>> 18) & 3;
    const matching = this.apics.filter((apic) => {
      if (!apic.enabled) return false;
      if (shorthand) return shorthand !== 3 || apic !== source;
      const quirk = !source && dest === 0xff && apic.x2apic && this.#flags.msi_broadcast === 'yes';
      const mda = quirk ? BROADCAST : dest;
      if (mda === (apic.x2apic ? BROADCAST : 0xff)) return true;
      if (!(low & 0x800)) return this.#kvmAnswers(apic, mda);
      if (apic.x2apic) return mda >>> 16 === apic.ldr >>> 16 && (mda & apic.ldr & 0xffff) !== 0;
      const own = apic.ldr >>> 24;
      if (apic.dfr >>> 28 === 15) return (own & mda) !== 0;
      return apic.dfr >>> 28 === 0 && own >> 4 === mda >>> 4 && (own & mda & 15) !== 0;
    });
    let fixed = message;
    if (!(low & 0x800) && dest === 0xff && this.#kvmLowest(message))
      fixed = { ...message, low: (low & ~0x700) >>> 0 };
    if (!this.#kvmLowest(fixed)) {
      if (matching.length === 0) return this.#nobody(message);
      return matching.filter((apic) => this.#give(apic, fixed)).length;
    }
    const enabled = matching.filter((apic) => apic.softwareEnabled);
    if (enabled.length === 0) return this.#nobody(message);
    return this.#give(enabled[(low & 0xff) % enabled.length]!, fixed) ? 1 : 0;
  }

  // --- the serial bus. SDM "APIC Bus Message Formats", "Bus Arbitration" ---

  #clocks(message: Message): number {
    if (deliveryOf(message.low) !== 1) return 21;
    const vector = message.low & 0xff;
    const focus = this.#addressed(message).some(
      (a) => a.softwareEnabled && this.#isFocus(a, vector),
    );
    return focus ? 21 : 34;
  }

  #transmit(message: Message): number | 'rejected' {
    this.#bus.messages++;
    this.#bus.clocks += this.#clocks(message);
    const { low } = message;
    if (isVectored(low)) {
      const vector = low & 0xff;
      const addressed = this.#addressed(message);
      const chosen = deliveryOf(low) === 1 ? this.#lowest(message, addressed) : undefined;
      const fits = deliveryOf(low) === 1 && chosen && !chosen.wouldReject(vector);
      const full = fits ? [] : addressed.filter((apic) => apic.wouldReject(vector));
      for (const apic of full) {
        apic.counters.attempted++;
        apic.counters.rejected++;
      }
      if (full.length > 0) {
        this.cover('P6: message rejected');
        return 'rejected';
      }
    }
    const taken = this.#distribute(message);
    // P6 family and Pentium: nobody accepted what somebody should have.
    if (taken <= 0 && isVectored(low) && (low & 0xff) >= 16 && !this.#isDropped(low)) {
      for (const apic of this.#addressed(message)) apic.collect(0x08);
      message.source?.collect(0x04);
    }
    return taken;
  }

  #rotate(winner: { arb: number } | IoapicModel): void {
    const agents: [object, () => number, (v: number) => void][] = [
      ...this.apics.map((a): [object, () => number, (v: number) => void] => [
        a,
        () => a.arb,
        (v) => (a.arb = v),
      ]),
      ...this.ioapics.map((io): [object, () => number, (v: number) => void] => [
        io,
        () => io.arbPriority,
        (v) => (io.arbPriority = v),
      ]),
    ];
    const old = agents.find(([agent]) => agent === winner)![1]();
    for (const [agent, get, set] of agents) {
      if (agent === winner) set(0);
      else set(get() === 15 ? (old + 1) & 15 : get() + 1);
    }
    this.cover('P6: arbitration rotates');
  }

  #ioapicSend(ioapic: IoapicModel, dest: number, low: number): number | 'rejected' {
    const message = { source: undefined, dest, low, hint: false };
    if (!this.#serial) return this.#distribute(message);
    const result = this.#transmit(message);
    if (result !== 'rejected') this.#rotate(ioapic);
    return result;
  }

  #broadcastEoi(apic: LapicModel, vector: number): void {
    this.cover('EOI: level broadcast');
    if (this.#serial) {
      this.#bus.messages++;
      this.#bus.clocks += 14;
      this.#rotate(apic);
    }
    for (const ioapic of this.ioapics) ioapic.endOfInterrupt(vector);
  }

  #retry(clocks: number): void {
    if (!this.#serial) return;
    for (let credit = clocks; ; ) {
      const senders = [
        ...this.apics.filter((a) => a.busPending).map((a) => ({ agent: a, priority: a.arb })),
        ...this.ioapics
          .filter((io) => io.pendingPin)
          .map((io) => ({ agent: io, priority: io.arbPriority })),
      ];
      const best = senders.reduce<(typeof senders)[0] | undefined>(
        (a, b) => (!a || b.priority > a.priority ? b : a),
        undefined,
      );
      if (!best) return;
      const { agent } = best;
      const isApic = agent instanceof LapicModel;
      const cost = isApic ? this.#clocks({ source: agent, ...agent.busPending!, hint: false }) : 21;
      if (cost > credit) return;
      credit -= cost;
      this.#bus.retries++;
      this.cover('P6: retry');
      if (!isApic) {
        const pin = agent.pendingPin!;
        pin.entry &= ~0x1000n;
        if (!(pin.entry & 0x10000n)) agent.send(pin);
        continue;
      }
      if (this.#transmit({ source: agent, ...agent.busPending!, hint: false }) === 'rejected')
        continue;
      agent.busPending = undefined;
      this.#rotate(agent);
    }
  }

  // --- 8259 wiring ---

  #wireReaches(apic: LapicModel): boolean {
    const ioapic = this.ioapics[0];
    const pin = ioapic?.pins[0];
    if (!ioapic || !pin || !ioapic.isWire(pin) || pin.entry & 0x10000n) return false;
    const message = {
      source: undefined,
      dest: Number(pin.entry >> 56n),
      low: Number(pin.entry & 0x800n),
      hint: false,
    };
    return this.#addressed(message).includes(apic);
  }

  #picChange<T>(change: () => T): T {
    const apic = this.apics[0]!;
    const before = apic.pinHigh(0);
    const result = change();
    if (apic.pinHigh(0) !== before) apic.pinMoved(0);
    return result;
  }

  // --- time ---

  #advance(ns: number): void {
    const until = this.#now + BigInt(ns);
    for (;;) {
      const timers = this.apics.filter((a) => a.expiry !== 0n && a.expiry <= until);
      const first = timers.reduce<LapicModel | undefined>(
        (a, b) => (!a || b.expiry < a.expiry ? b : a),
        undefined,
      );
      const brakes = this.ioapics.filter((p) => p.brake !== 0n && p.brake <= until);
      const brake = brakes.reduce<bigint>((a, p) => (a === 0n || p.brake < a ? p.brake : a), 0n);
      if (first && (brake === 0n || first.expiry <= brake)) {
        if (first.expiry > this.#now) this.#now = first.expiry;
        first.fire();
        first.settle();
      } else if (brake !== 0n) {
        this.#now = brake;
        for (const io of this.ioapics) {
          if (io.brake !== brake) continue;
          io.brake = 0n;
          for (const pin of io.pins) io.serveLevel(pin);
        }
      } else break;
    }
    this.#now = until;
    this.#retry(Math.floor((ns * 1667) / 100000));
  }

  #msi(address: bigint, data: number): number {
    if (((address >> 20n) & 0xfffn) !== 0xfeen) return -1;
    const emulated = this.#flags.shorthands === 'all';
    const hint = (address & 8n) !== 0n && this.#flags.msr_checks !== 'qemu';
    const logical = (address & 4n) !== 0n && (hint || emulated);
    if (!emulated && (data & 0xc000) === 0x8000) return 0;
    if (hint) this.cover('MSI: redirection hint');
    const dest = Number(((address >> 12n) & 0xffn) | ((address >> 32n) & 0xffffff00n));
    const low = (data & 0x87ff) | 0x4000 | (logical ? 0x800 : 0);
    return this.#distribute({ source: undefined, dest, low, hint });
  }

  // --- operations ---

  apply(operation: Operation): string | number {
    const result = this.#apply(operation);
    for (const apic of this.apics) apic.settle();
    return result;
  }

  #apply(o: Operation): string | number {
    switch (o.op) {
      case 'message': {
        const low =
          o.vector | (o.delivery << 8) | (o.logical ? 0x800 : 0) | 0x4000 | (o.level ? 0x8000 : 0);
        return this.#distribute({ source: undefined, dest: o.dest, low, hint: false });
      }
      case 'msi':
        return this.#msi(BigInt(`0x${o.address}`), o.data);
      case 'irq':
        this.ioapics[o.ioapic]!.setIrq(o.pin, o.high);
        return 'ok';
      case 'ioapic_read':
        return this.ioapics[o.ioapic]!.read(o.offset);
      case 'ioapic_write':
        this.ioapics[o.ioapic]!.write(o.offset, o.value);
        return 'ok';
      case 'pic_irq':
        this.#picChange(() => this.pic.setIrq(o.line, o.high));
        return 'ok';
      case 'pic_read':
        return this.#picChange(() => this.pic.read(o.port));
      case 'pic_write':
        this.#picChange(() => this.pic.write(o.port, o.value));
        return 'ok';
      case 'power_on':
        this.pic.reset();
        for (const ioapic of this.ioapics) ioapic.reset();
        for (const apic of this.apics) apic.powerOn();
        return 'ok';
      case 'advance':
        this.#advance(o.ns);
        return 'ok';
      default:
        return this.#local(o);
    }
  }

  #local(o: Operation & { cpu: number }): string | number {
    const apic = this.apics[o.cpu]!;
    const access = this.#access[o.cpu]!;
    switch (o.op) {
      case 'rdmsr':
        return access.readMsr(o.msr)?.toString(16) ?? 'GP';
      case 'wrmsr':
        return access.writeMsr(o.msr, BigInt(`0x${o.value}`)) ? 'ok' : 'GP';
      case 'mmio_read':
        return access.readPage(o.offset, o.size ?? 4);
      case 'mmio_write':
        access.writePage(o.offset, o.value, o.size ?? 4);
        return 'ok';
      case 'cr8_read':
        return apic.tpr >> 4;
      case 'cr8_write':
        if (o.value > 15) return 'GP';
        apic.tpr = o.value << 4;
        return 'ok';
      case 'lint': {
        const before = apic.pinHigh(o.pin);
        apic.pins[o.pin] = o.high;
        if (apic.pinHigh(o.pin) !== before) apic.pinMoved(o.pin);
        return 'ok';
      }
      case 'local':
        apic.local(o.lvt);
        return 'ok';
      case 'init_reset':
        apic.initReset();
        return 'ok';
      case 'acknowledge':
        return apic.acknowledge();
      case 'take':
        return apic.take();
      case 'eoi':
        return apic.enabled ? apic.eoi() : 'stray';
      case 'iret':
        return apic.iret();
      case 'set_if':
        apic.interruptFlag = o.value;
        return 'ok';
      case 'shadow':
        apic.shadow = true;
        return 'ok';
      default:
        apic.halted = true;
        return 'ok';
    }
  }

  state(): MachineState {
    const { primary, secondary, output } = this.pic;
    const chip = ({ irr, isr, imr }: typeof primary) => ({ irr, isr, imr });
    return {
      now_ns: Number(this.#now),
      apics: this.apics.map((apic) => apic.state()),
      ioapics: this.ioapics.map((ioapic) => ioapic.state()),
      pics: [chip(primary), chip(secondary)],
      pic_output: output,
      bus: { ...this.#bus },
      unclaimed: this.#unclaimed,
    };
  }
}
