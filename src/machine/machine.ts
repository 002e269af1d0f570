// A machine: made, saved and restored; what is common to its parts; storms.
import { AUDIT } from '../core/audit.js';
import { bootCore } from '../core/boot.js';
import {
  checkBoolean,
  checkFunction,
  checkName,
  checkOptions,
  checkRegister,
  type KeysOf,
  lockFields,
} from '../core/check.js';
import { type MachineConfig, type MachineOptions, resolveConfig } from '../core/config.js';
import { type Counters, readSenderCosts, type SenderCosts, sumCounters } from '../core/counters.js';
import { checkInteger, InvariantError, usage } from '../core/errors.js';
import { C, L } from '../core/memory.js';
import { hasSerialBus, modelWords } from '../core/models.js';
import type { CompiledModule, CoreExports } from '../core/wasm.js';
import { advanceClock, clockNow, nextEvent, tscNow } from './hardware/clock.js';
import { Cpu } from './hardware/cpu.js';
import { checkEnd } from './hardware/endless.js';
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
import { News } from './news.js';
import {
  inspect,
  isOf,
  openSnapshot,
  optionsOf,
  readState,
  type SnapshotCheck,
  stateOf,
  takeSnapshot,
  writeState,
} from './snapshot.js';
import {
  type ResolvedStorm,
  resolveStorm,
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

/** Where a machine writes its news: openNewsRing(). */
export interface NewsRing {
  /** How many entries were written so far, modulo 2^32: one number, changed by the machine. */
  readonly head: Uint32Array;
  /** Entry n is at n modulo 1024: a CPU with news. */
  readonly cpus: Uint32Array;
}

export interface RestoreOptions {
  module?: CompiledModule;
  /** As in MachineOptions; not part of a snapshot. */
  gp?: 'throw' | 'return';
}

const RESTORE_KEYS: KeysOf<RestoreOptions> = { module: true, gp: true };

/**
 * A machine of local APICs, the bus between them, and the Linux that sends. Everything is
 * synchronous and deterministic: the same calls give the same registers, counters and event hash.
 */
export class Machine {
  /** What it was made with, and the defaults; frozen. */
  readonly config: MachineConfig;
  /** Linux's send paths: the machine's era and driver. */
  readonly linux: LinuxSender;
  /** The 8259A pair. */
  readonly pic: Pic;
  readonly #core: CoreExports;
  readonly #flags: Uint32Array;
  readonly #lapics = new Map<number, LocalApic>();
  readonly #cpus = new Map<number, Cpu>();
  readonly #ioapics: Ioapic[];
  readonly #news: News;
  /** News goes into the ring. */
  #ring = false;
  /** A storm stands between two of its slices. */
  #storming = false;
  readonly #done = (): void => {
    // A storm runs the handlers of what arrives itself.
    if (!this.#storming) this.#news.tell();
  };

  private constructor(config: MachineConfig, core: CoreExports) {
    if (typeof core?.fingerprint !== 'function')
      throw usage('new Machine', config, 'Machine.create(options), Machine.restore(bytes)');
    this.config = config;
    this.#core = core;
    this.#news = new News(core);
    this.#flags = modelWords(config.model);
    this.linux = new LinuxSender(core, config.cpus, hasSerialBus(config.model), this.#done);
    this.pic = new Pic(core, this.#done);
    this.#ioapics = config.ioapics.map((io, n) => new Ioapic(core, n, io, this.#done));
    lockFields(this, 'config', 'linux', 'pic');
  }

  /**
   * Called after each call that changed something at a CPU, once for every CPU with news; then
   * takeWoken() has nothing left. Unset (default): nothing is called, poll takeWoken().
   *
   * Calls from inside it don't call it again: what they bring is told after it returns. An error that it
   * throws comes out of the call that brought the news; the other CPUs' news is told with the next call
   * or taken by takeWoken(). Between the slices of a storm it is not called.
   * @throws UsageError when set to something else than a function or undefined
   */
  get onNews(): ((cpu: number) => void) | undefined {
    return this.#news.listener;
  }

  set onNews(listener: ((cpu: number) => void) | undefined) {
    this.#news.listener = listener === undefined ? undefined : checkFunction('onNews', listener);
  }

  /**
   * @throws UsageError naming the option, what it got and what is allowed
   * @throws RangeError when the host has no memory for it
   */
  static create(options: CreateOptions = {}): Machine {
    const config = resolveConfig(options, { module: true });
    return new Machine(config, bootCore(config, options.module));
  }

  /**
   * A new machine from a snapshot.
   * @throws UsageError for a foreign, truncated or altered one
   */
  static restore(bytes: Uint8Array, options: RestoreOptions = {}): Machine {
    const { gp = 'throw', module } = checkOptions('options', options, RESTORE_KEYS);
    checkName('gp', gp, { throw: 0, return: 0 });
    const saved = openSnapshot(bytes);
    const machine = Machine.create({
      ...optionsOf(saved),
      gp,
      ...(module !== undefined && { module }),
    });
    machine.#load(bytes);
    return machine;
  }

  /**
   * What a snapshot holds, and whether Machine.restore() takes it: `error` is what it would throw.
   * Never throws itself. Makes a machine of it for a moment, as restore() does.
   */
  static checkSnapshot(bytes: Uint8Array): SnapshotCheck {
    return inspect(bytes, () => Machine.restore(bytes).config);
  }

  /**
   * Goes back to a snapshot of a machine with this very configuration, in place.
   * @throws UsageError for another configuration or a damaged snapshot; the machine is then as it was
   */
  rollback(bytes: Uint8Array): void {
    this.#refuseInStorm('rollback');
    const saved = openSnapshot(bytes);
    if (!isOf(saved, this.config, this.#view().getUint32(L.H_FLAGS, true))) {
      throw usage('snapshot', 'another configuration', "this machine's", 'use Machine.restore()');
    }
    if (this.#view().getUint32(L.H_LOGGING, true) !== 0)
      throw usage('rollback', 'a call inside linux.record()', 'calls after it');
    this.#load(bytes);
  }

  #load(bytes: Uint8Array): void {
    const { buffer } = this.#core.memory;
    const before = readState(buffer);
    writeState(stateOf(bytes), buffer);
    const fault = this.#stateFault();
    if (fault === undefined) {
      this.#news.forget();
      if (this.#ring) this.#core.openRing(1);
      return;
    }
    writeState(before, buffer);
    this.#core.rebuild();
    throw usage('snapshot', `a state of ${fault}`, 'a state the machine can be in');
  }

  /** What is impossible in the state that was just loaded. */
  #stateFault(): string | undefined {
    try {
      this.#core.rebuild();
      const bad = this.#core.auditAll();
      return bad < 0 ? undefined : `CPU ${bad} in which not: ${this.#fault()}`;
    } catch (trap) {
      return `the machine that the core refuses (${(trap as Error).message})`;
    }
  }

  /** State and configuration as one byte array; Machine.restore() takes it back. */
  snapshot(): Uint8Array {
    this.#news.giveBack();
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

  /**
   * I/O APIC `n`, from 0.
   * @throws UsageError when the machine has no such one
   */
  ioapic(n = 0): Ioapic {
    const last = this.#ioapics.length - 1;
    if (last < 0) throw usage('ioapic', n, 'none: this machine was made with ioapics: []');
    return this.#ioapics[checkInteger('ioapic', n, 0, last)]!;
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

  /**
   * The time (as `now`) of the next thing that advance() does: a timer fires, a storm brake lets go, the serial bus
   * of P6 models tries again. Undefined when there is none. A host loop may sleep until then.
   */
  nextEventNs(): bigint | undefined {
    return nextEvent(this.#core, this.config.busMHz);
  }

  /** The time-stamp counter: `now` in periods of tscMHz. */
  get tsc(): bigint {
    return tscNow(this.#core);
  }

  /**
   * From now on news is written into a ring that is read without a call, and neither told to onNews nor
   * listed for takeWoken(). Views on the machine's memory, good as long as it lives:
   * ```
   * const { head, cpus } = machine.openNewsRing();
   * let seen = head[0];
   * while (seen !== head[0]) {
   *   if ((head[0] - seen) >>> 0 > cpus.length) { seen = head[0]; lookAtEveryCpu(); }
   *   else lookAt(cpus[seen++ % cpus.length]);   // seen = (seen + 1) >>> 0 where 2^32 entries may come
   * }
   * ```
   * A CPU may be there several times. What was listed already comes first. Snapshots don't hold the ring.
   * @throws UsageError between the slices of a storm
   */
  openNewsRing(): NewsRing {
    this.#refuseInStorm('openNewsRing');
    this.#news.giveBack();
    this.#core.openRing(1);
    this.#ring = true;
    const { buffer } = this.#core.memory;
    const at = this.#view().getUint32(L.H_NEWS, true);
    return {
      head: new Uint32Array(buffer, at, 1),
      cpus: new Uint32Array(buffer, at + L.NEWS_ENTRIES, L.NEWS_SIZE),
    };
  }

  /** News is told and listed again. */
  closeNewsRing(): void {
    this.#core.openRing(0);
    this.#ring = false;
  }

  /** Power-on reset of every local APIC, I/O APIC and 8259; counters and time go on. */
  powerOn(): void {
    this.#refuseInStorm('powerOn');
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
    this.#core.trace(checkBoolean('on', on) ? 1 : 0);
  }

  /** What operations did since the last call, in order: of a traced machine. */
  takeEffects(): Effect[] {
    return takeEffects(this.#core);
  }

  /**
   * One write of a CPU's Interrupt Command Register. SDM 3A "Interrupt Command Register (ICR)".
   * @param from sending CPU
   * @param dest 32 bits in x2APIC modes, 0-0xff in xAPIC ones; ignored with a shorthand
   * @param low low 32 bits: vector, delivery mode, destination mode, level, trigger, shorthand
   */
  writeICR(from: number, dest: number, low: number): void {
    const x2apic = this.config.mode.startsWith('x2apic');
    checkInteger('from', from, 0, this.config.cpus - 1);
    const to = x2apic ? checkRegister('dest', dest) : checkInteger('dest', dest, 0, 0xff);
    this.#core.writeIcr(from, to, checkRegister('low', low) & C.ICR_FIELDS);
    this.#done();
  }

  /**
   * CPUs with news since the last call, each once, in order of arrival; those that onNews was told of
   * are not among them.
   * @throws UsageError between the slices of a storm, whose handlers need the list
   */
  takeWoken(): number[] {
    this.#refuseInStorm('takeWoken');
    return this.#news.take();
  }

  /**
   * Every woken CPU runs its handlers as Linux does: acknowledge, EOI, next. What isn't a vector (NMI, SMI, INIT, SIPI,
   * ExtINT) waits on, and stays news.
   * @throws UsageError naming the pin when a level pin stays active and comes back with every EOI (in models
   *   with a storm brake it rests then); it is pending again
   * @throws UsageError between the slices of a storm, which runs them at its own times
   */
  runHandlers(): void {
    this.#refuseInStorm('runHandlers');
    this.#refuseWithRing('runHandlers');
    try {
      this.#drain();
    } finally {
      this.#core.listWaiting();
      this.#done();
    }
  }

  #refuseWithRing(what: string): void {
    if (!this.#ring) return;
    throw usage(
      what,
      'a machine whose news goes into a ring',
      'one with a wake list',
      'closeNewsRing() first',
    );
  }

  #drain(): void {
    this.#news.giveBack();
    checkEnd(this.#core, this.#core.drain());
  }

  /**
   * Runs a storm to its end and returns what it did (differences, so storms can follow each other).
   * @throws UsageError for options that no storm has, or inside another storm of this machine
   * @throws InvariantError when an invariant breaks (a bug in ipistorm)
   */
  storm(options: StormOptions = {}): StormResult {
    const run = this.stormSlices(options);
    let step = run.next();
    while (!step.done) step = run.next();
    return step.value;
  }

  /**
   * The same, slice by slice: yields progress. `next(true)` ends it early with a result, a number given
   * to `next()` is the sends of the slices that follow; `return()` or leaving the loop ends it without.
   * Until then the machine is the storm's: other storms, rollback(), powerOn(), takeWoken() and
   * runHandlers() are refused, and onNews is not called; what still waits for a CPU then is news.
   * @throws UsageError at once for options that no storm has; at the first next() inside another storm
   */
  stormSlices(options: StormOptions = {}): Generator<StormProgress, StormResult, StormStep> {
    if (hasSerialBus(this.config.model)) throw serialBus('storm');
    this.#refuseWithRing('storm');
    return this.#slices(resolveStorm(options, this.config.cpus));
  }

  *#slices(storm: ResolvedStorm): Generator<StormProgress, StormResult, StormStep> {
    this.#refuseInStorm('storm');
    this.#refuseWithRing('storm'); // it may have been opened since stormSlices()
    this.#storming = true;
    try {
      return yield* sliceStorm(this.#stormHost(), storm);
    } finally {
      this.#storming = false;
      this.#core.listWaiting();
      this.#done();
    }
  }

  /** What would leave a storm that stands between two slices with another machine's state. */
  #refuseInStorm(what: string): void {
    if (!this.#storming) return;
    throw usage(
      what,
      'a storm under way on this machine',
      'calls before or after it',
      'run its generator to the end, or call its return()',
    );
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
        checkInteger('tpr', value, 0, 255);
        this.#core.setTpr(cpu, value);
      },
      runHandlers: () => this.#drain(),
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
    checkEnd(this.#core, cpu);
    if (cpu >= 0)
      throw new InvariantError(
        `CPU ${cpu} broke "${this.#fault()}"; please report it with the options and seed`,
      );
  }
}
