// Loads the core. Structural types only: public .d.ts files must not need lib.dom.

import { WASM_BASE64 } from './embedded.js';
import { usage } from './errors.js';
import { LAYOUT_FINGERPRINT } from './memory.js';

/** A compiled WebAssembly.Module. */
export type CompiledModule = object;

export interface CoreExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  fingerprint(): number;
  create(
    cpus: number,
    mode: number,
    driver: number,
    era: number,
    flags: number,
    ioapics: number,
  ): number;
  commit(start: number): number;
  cpuOf(apicId: number): number;
  accept(cpu: number, vector: number, level: number): number;
  acknowledge(cpu: number): number;
  acknowledgeVector(cpu: number, vector: number): number;
  eoi(cpu: number): number;
  intr(cpu: number): number;
  ppr(cpu: number): number;
  setTpr(cpu: number, tpr: number): number;
  pending(cpu: number): number;
  takeWakeList(): number;
  drain(): number;
  listWaiting(): void;
  writeIcr(from: number, dest: number, low: number): number;
  send(op: number, from: number, to: number, vector: number): number;
  logEntries(): number;
  readPage(cpu: number, reg: number): number;
  writePage(cpu: number, reg: number, value: number): number;
  readMsr(cpu: number, msr: number): number;
  writeMsr(cpu: number, msr: number, value: bigint): number;
  peek(cpu: number, reg: number): number;
  setBase(cpu: number, value: bigint): number;
  registersChanged(cpu: number, currentCount: number): number;
  postInterrupt(cpu: number, vector: number): number;
  syncPosted(cpu: number): number;
  offerLazyEoi(cpu: number): number;
  withdrawLazyEoi(cpu: number): number;
  useLazyEoi(cpu: number): number;
  setLint(cpu: number, pin: number, high: number): number;
  localEvent(cpu: number, index: number): number;
  lintFalls(cpu: number): number;
  extint(cpu: number): number;
  message(dest: number, low: number, redirect: number): number;
  setIoapicPin(n: number, pin: number, high: number): number;
  readIoapic(n: number, offset: number): number;
  writeIoapic(n: number, offset: number, value: number): number;
  setPicLine(line: number, high: number): number;
  readPic(port: number): number;
  writePic(port: number, value: number): void;
  picOutput(): number;
  acknowledgePic(): number;
  inta(cpu: number): number;
  hearSipi(cpu: number): number;
  canTake(cpu: number): number;
  take(cpu: number): number;
  iret(cpu: number): number;
  handlerEoi(cpu: number): number;
  setCpuState(cpu: number, bits: number, on: number): number;
  initReset(cpu: number): number;
  powerOn(cpu: number): number;
  powerOnAll(): void;
  nextEvent(): bigint;
  clocksToRetry(): bigint;
  openRing(on: number): void;
  advance(until: bigint, limit: number, busClocks: bigint): number;
  trace(on: number): void;
  takeEffects(): number;
  rebuild(): void;
  storm(count: number): number;
  audit(): number;
  auditAll(): number;
  eventHash(): bigint;
  timedCreate(logCapacity: number, traceBytes: number): number;
  timedStart(): void;
  timedIrqsOff(cpu: number, when: bigint, ps: bigint): number;
  timedRun(until: bigint, events: number): number;
  timedHash(): bigint;
  histogramBucket(value: bigint): number;
  nodeAddress(node: number): number;
}

interface WebAssemblyLike {
  Module: new (bytes: Uint8Array) => CompiledModule;
  Instance: new (module: CompiledModule, imports: object) => { exports: unknown };
}
declare const WebAssembly: WebAssemblyLike;
declare function atob(text: string): string;

let embedded: CompiledModule | undefined;

/** The built-in core, compiled once per process; post it to workers to share the compilation. */
export function coreModule(): CompiledModule {
  if (!embedded) {
    const text = atob(WASM_BASE64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    embedded = new WebAssembly.Module(bytes);
  }
  return embedded;
}

/** V8 reserves address space behind a memory, so that accesses need no checks; its flag does without. */
function noMemory(cause: RangeError): RangeError {
  const next = 'raise ulimit -v, or set NODE_OPTIONS=--disable-wasm-trap-handler';
  return new RangeError(
    `memory: got none (${cause.message}), allowed some 10 GB of address space for each machine; ${next}`,
  );
}

/**
 * Instantiates a core.
 * @throws RangeError when the host has no memory for it; UsageError for what is no compiled core, or one built for another memory map
 */
export function instantiate(module: CompiledModule = coreModule()): CoreExports {
  let core: CoreExports;
  try {
    core = new WebAssembly.Instance(module, {}).exports as CoreExports;
  } catch (cause) {
    if (cause instanceof RangeError) throw noMemory(cause);
    throw usage(
      'module',
      module,
      `the compiled ipistorm/core.wasm (${(cause as Error).message})`,
      'leave the option out to use the built-in core',
    );
  }
  const got = typeof core.fingerprint === 'function' ? core.fingerprint() : undefined;
  if (got === LAYOUT_FINGERPRINT) return core;
  throw usage(
    'module',
    `layout fingerprint ${got ?? 'none'}`,
    String(LAYOUT_FINGERPRINT),
    'use the core.wasm of this very version of ipistorm',
  );
}
