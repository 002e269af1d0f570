// Loads the core. Structural types only: public .d.ts files must not need lib.dom.
import { LAYOUT_FINGERPRINT } from '../../assembly/fingerprint.js';
import { WASM_BASE64 } from './embedded.js';

/** A compiled WebAssembly.Module. */
export type CompiledModule = object;

export interface CoreExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  fingerprint(): number;
  create(cpus: number, mode: number, driver: number, era: number, flags: number): number;
  commit(): number;
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
  drain(): void;
  writeIcr(from: number, dest: number, low: number): number;
  send(op: number, from: number, to: number, vector: number): number;
  logEntries(): number;
  storm(count: number): number;
  audit(): number;
  eventHash(): bigint;
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

/** Instantiates a core and refuses one built for another memory map. */
export function instantiate(module: CompiledModule = coreModule()): CoreExports {
  let core: CoreExports;
  try {
    core = new WebAssembly.Instance(module, {}).exports as CoreExports;
  } catch (cause) {
    throw new TypeError(
      `module: got ${describe(module)} (${(cause as Error).message}), allowed the compiled ipistorm/core.wasm; leave the option out to use the built-in core`,
      { cause },
    );
  }
  const got = typeof core.fingerprint === 'function' ? core.fingerprint() : undefined;
  if (got !== LAYOUT_FINGERPRINT) {
    throw new TypeError(
      `module: got layout fingerprint ${got ?? 'none'}, allowed ${LAYOUT_FINGERPRINT}; use the core.wasm of this very version of ipistorm`,
    );
  }
  return core;
}

function describe(value: unknown): string {
  return value === null ? 'null' : typeof value === 'object' ? 'an object' : String(value);
}
