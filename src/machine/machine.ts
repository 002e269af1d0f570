// A machine: made, saved and restored; what is common to its parts; storms.
import { AUDIT } from '../core/audit.js';
import { bootCore } from '../core/boot.js';
import { type MachineConfig, type MachineOptions, resolveConfig } from '../core/config.js';
import { type Counters, readSenderCosts, type SenderCosts, sumCounters } from '../core/counters.js';
import { checkInteger, InvariantError, usage } from '../core/errors.js';
import { C, L } from '../core/memory.js';
import { hasSerialBus, modelWords } from '../core/models.js';
import type { CompiledModule, CoreExports } from '../core/wasm.js';
import { advanceClock, clockNow } from './hardware/clock.js';
import { Cpu } from './hardware/cpu.js';
import { Ioapic } from './hardware/ioapic.js';
import {
  type Effect,
  type Message,
  sendMessage,
  sendMsi,
  takeEffects,
} from './hardware/messages.js';
import { Pic } from './hardware/pic.js';
import { LocalApic } from './lapic.js';
import { LinuxSender, serialBus } from './linux.js';
import { isOf, openSnapshot, optionsOf, takeSnapshot, writeState } from './snapshot.js';
import {
  type StormHost,
  type StormOptions,
  type StormProgress,
  type StormResult,
  type StormStep,
  sliceStorm,
} from './storm.js';

export interface CreateOptions extends MachineOptions {
  /** A compiled core (coreModule()), for sharing one compilation between workers. */
  module?: CompiledModule;
}

export interface RestoreOptions {
  module?: CompiledModule;
  /** As in MachineOptions; not part of a snapshot. */
  gp?: 'throw' | 'return';
}

/**
 * A machine of local APICs, the bus between them, and the Linux that sends. Everything is
 * synchronous and deterministic: the same calls give the same registers, counters and event hash.
 */
export class Machine {
  readonly config: Readonly<MachineConfig>;
  /** Linux's send paths: the machine's era and driver. */
  readonly linux: LinuxSender;
  /** The 8259A pair. */
  readonly pic: Pic;
  /**
   * Called after each call that changed something at a CPU, once for every CPU with news; then
   * takeWoken() has nothing left. Unset (default): nothing is called, poll takeWoken().
   */
  onNews: ((cpu: number) => void) | undefined;
  readonly #core: CoreExports;
  readonly #flags: Uint32Array;
  readonly #lapics = new Map<number, LocalApic>();
  readonly #cpus = new Map<number, Cpu>();
  readonly #ioapics: Ioapic[];
  readonly #done = (): void => this.#tellNews();

  private constructor(config: MachineConfig, core: CoreExports) {
    this.config = config;
    this.#core = core;
    this.#flags = modelWords(config.model);
    this.linux = new LinuxSender(core, config.cpus, hasSerialBus(config.model), this.#done);
    this.pic = new Pic(core, this.#done);
    this.#ioapics = config.ioapics.map((io, n) => new Ioapic(core, n, io, this.#done));
  }

  #tellNews(): void {
    if (!this.onNews) return;
    for (let news = this.takeWoken(); news.length > 0; news = this.takeWoken()) {
      for (const cpu of news) this.onNews(cpu);
    }
  }

  /**
   * @throws UsageError naming the option, what it got and what is allowed
   * @throws RangeError when the host has no memory for it
   */
  static create(options: CreateOptions = {}): Machine {
    const config = resolveConfig(options);
    return new Machine(config, bootCore(config, options.module));
  }

  /** A new machine from a snapshot. Foreign, truncated or altered ones are refused. */
  static restore(bytes: Uint8Array, options: RestoreOptions = {}): Machine {
    const saved = openSnapshot(bytes);
    const machine = Machine.create({
      ...options,
      ...optionsOf(saved),
      gp: options.gp ?? 'throw',
    });
    machine.#load(bytes);
    return machine;
  }

  /**
   * Goes back to a snapshot of a machine with this very configuration, in place.
   * @throws UsageError for another configuration or a damaged snapshot; the machine is then as it was,
   *   unless the snapshot was sealed around an impossible state
   */
  rollback(bytes: Uint8Array): void {
    const saved = openSnapshot(bytes);
    if (!isOf(saved, this.config, this.#view().getUint32(L.H_FLAGS, true))) {
      throw usage('snapshot', 'another configuration', "this machine's", 'use Machine.restore()');
    }
    this.#load(bytes);
  }

  #load(bytes: Uint8Array): void {
    writeState(bytes, this.#core.memory.buffer);
    this.#core.rebuild();
    const bad = this.#core.auditAll();
    if (bad < 0) return;
    throw usage(
      'snapshot',
      `a state of CPU ${bad} in which not: ${this.#fault()}`,
      'a state the machine can be in',
    );
  }

  /** State and configuration as one byte array; Machine.restore() takes it back. */
  snapshot(): Uint8Array {
    return takeSnapshot(this.#core.memory.buffer, this.config);
  }

  /** The local APIC of a CPU, 0 to cpus-1. */
  lapic(cpu: number): LocalApic {
    let lapic = this.#lapics.get(cpu);
    if (!lapic) {
      checkInteger('cpu', cpu, 0, this.config.cpus - 1);
      lapic = new LocalApic(this.#core, cpu, {
        counters: (n) => this.counters(n),
        done: this.#done,
        gp: this.config.gp,
      });
      this.#lapics.set(cpu, lapic);
    }
    return lapic;
  }

  /** The CPU beside local APIC `cpu`: interrupt flag, handlers, whose EOI an EOI was. */
  cpu(cpu: number): Cpu {
    let found = this.#cpus.get(cpu);
    if (!found) {
      checkInteger('cpu', cpu, 0, this.config.cpus - 1);
      found = new Cpu(this.#core, cpu, this.#done);
      this.#cpus.set(cpu, found);
    }
    return found;
  }

  /** I/O APIC `n`, from 0. */
  ioapic(n = 0): Ioapic {
    const found = this.#ioapics[n];
    if (!found) throw usage('ioapic', n, `0-${this.#ioapics.length - 1}`);
    return found;
  }

  /** A message of a device or I/O APIC. How many local APICs took it; -1 when nobody was addressed. */
  message(message: Message): number {
    const taken = sendMessage(this.#core, message);
    this.#done();
    return taken;
  }

  /**
   * A device's write to the MSI window. SDM 3A "Message Signalled Interrupts".
   * @param address 0xfee00000-0xfeefffff: bits 19:12 destination, 3 redirection hint, 2 logical;
   *   bits 63:40 extend the destination (KVM's 32-bit ids). Elsewhere nobody is addressed: -1
   * @param data bits 7:0 vector, 10:8 delivery mode, 14 assert, 15 level
   */
  signalMSI(address: bigint | number, data: number): number {
    const taken = sendMsi(this.#core, this.#flags, address, data);
    this.#done();
    return taken;
  }

  /** Virtual time in nanoseconds; it passes only in advance(). */
  get now(): bigint {
    return clockNow(this.#core);
  }

  /**
   * Lets virtual time pass: timers fire in order of time, then of CPU; then the serial bus of P6
   * models retries what was rejected.
   * @param ns 0-2^53
   * @throws RangeError when more than 20 million timer periods end in it; the clock stands at the last
   */
  advance(ns: number | bigint): void {
    advanceClock(this.#core, ns, this.config.busMHz, this.#done);
  }

  /** Power-on reset of every local APIC, I/O APIC and 8259; counters and time go on. */
  powerOn(): void {
    this.#core.powerOnAll();
    this.#done();
  }

  /** The serial APIC bus of P6 models: messages, retries and clocks (busMHz); else all 0. */
  get bus(): { messages: number; retries: number; clocks: number } {
    const view = this.#view();
    const read = (at: number) => Number(view.getBigUint64(at, true));
    return {
      messages: read(L.H_BUS_MESSAGES),
      retries: read(L.H_BUS_RETRIES),
      clocks: read(L.H_BUS_CLOCKS),
    };
  }

  /** Notes from now on what operations do (or no more); slower while on. */
  traceEffects(on: boolean): void {
    this.#core.trace(on ? 1 : 0);
  }

  /** What operations did since the last call, in order: of a traced machine. */
  takeEffects(): Effect[] {
    return takeEffects(this.#core);
  }

  /**
   * One write of a CPU's Interrupt Command Register. SDM 3A "Interrupt Command Register (ICR)".
   * @param from sending CPU
   * @param dest 32 bits in x2APIC modes, 8 in xAPIC ones; ignored with a shorthand
   * @param low low 32 bits: vector, delivery mode, destination mode, level, trigger, shorthand
   */
  writeICR(from: number, dest: number, low: number): void {
    const x2apic = this.config.mode.startsWith('x2apic');
    checkInteger('from', from, 0, this.config.cpus - 1);
    checkInteger('dest', dest, 0, x2apic ? 0xffffffff : 0xff);
    checkInteger('low', low, 0, 0xffffffff);
    this.#core.writeIcr(from, dest, low & C.ICR_FIELDS);
    this.#done();
  }

  /** CPUs with news since the last call, each once, in order of arrival. */
  takeWoken(): number[] {
    const count = this.#core.takeWakeList();
    const view = this.#view();
    const base = view.getUint32(L.H_WAKE, true);
    return Array.from({ length: count }, (_, i) => view.getUint32(base + i * 4, true));
  }

  /** Every woken CPU runs its handlers as Linux does: acknowledge, EOI, next. */
  runHandlers(): void {
    this.#core.drain();
  }

  /**
   * Runs a storm to its end and returns what it did (differences, so storms can follow each other).
   * @throws InvariantError when an invariant breaks (a bug in ipistorm)
   */
  storm(options: StormOptions = {}): StormResult {
    const run = this.stormSlices(options);
    let step = run.next();
    while (!step.done) step = run.next();
    return step.value;
  }

  /**
   * The same, slice by slice: yields progress. `next(true)` ends it early with a result, a number
   * given to `next()` is the sends of the slices that follow; leaving the loop ends it without.
   */
  *stormSlices(options: StormOptions = {}): Generator<StormProgress, StormResult, StormStep> {
    if (hasSerialBus(this.config.model)) throw serialBus('storm');
    return yield* sliceStorm(this.#stormHost(), options);
  }

  /** Counters of one CPU, or of all. */
  counters(cpu?: number): Counters {
    const [first, last] = cpu === undefined ? [0, this.config.cpus - 1] : [cpu, cpu];
    checkInteger('cpu', first, 0, this.config.cpus - 1);
    return sumCounters(this.#core, first, last);
  }

  /**
   * How often each vector was delivered: [cpu][vector], for machines made with `countVectors`.
   * @throws UsageError without that option
   */
  vectorCounts(cpu: number): Uint32Array {
    checkInteger('cpu', cpu, 0, this.config.cpus - 1);
    if (!this.config.countVectors)
      throw usage(
        'vectorCounts',
        'a machine without them',
        'Machine.create({ countVectors: true })',
      );
    const at = this.#view().getUint32(L.H_COUNTS, true) + cpu * L.COUNTS_BYTES;
    return new Uint32Array(this.#core.memory.buffer.slice(at, at + L.COUNTS_BYTES));
  }

  /** What all senders have paid so far. */
  senderCosts(): SenderCosts {
    return readSenderCosts(this.#view());
  }

  /** 64-bit hash of every event so far, 16 hex digits. Order counts within a CPU, not between CPUs. */
  get eventHash(): string {
    return BigInt.asUintN(64, this.#core.eventHash()).toString(16).padStart(16, '0');
  }

  #view(): DataView {
    return new DataView(this.#core.memory.buffer);
  }

  #stormHost(): StormHost {
    return {
      cpus: this.config.cpus,
      header: () => this.#view(),
      setTpr: (cpu, value) => {
        this.lapic(cpu).tpr = value;
      },
      runHandlers: () => this.runHandlers(),
      send: (count) => this.#check(this.#core.storm(count)),
      audit: () => this.#check(this.#core.audit()),
      counted: () => ({ counters: this.counters(), costs: this.senderCosts() }),
      eventHash: () => this.eventHash,
    };
  }

  #fault(): string {
    return AUDIT[this.#view().getUint32(L.H_AUDIT, true)] ?? 'an unknown invariant';
  }

  #check(cpu: number): void {
    if (cpu >= 0)
      throw new InvariantError(
        `CPU ${cpu} broke "${this.#fault()}"; please report it with the options and seed`,
      );
  }
}
