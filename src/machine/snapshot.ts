// Snapshots: a header, the configuration, and the state part of linear memory.
//   0 magic "IPISTORM"   8 version u32   12 layout fingerprint u32   16 bytes u32   20 checksum u32
//   24 cpus, mode, driver, era, flags, model, I/O APICs (u32)   52 pins | version << 16 of 8 I/O APICs
//   84 bus, timer and TSC clock in kHz   96 physical bits | x2APIC << 8   100 APIC ids (u32 each)
//   ... header state, rows, cold, wake, handlers, I/O APICs

import { checkBytes } from '../core/check.js';
import {
  DRIVERS,
  ERAS,
  type IoapicConfig,
  type MachineConfig,
  type MachineOptions,
  MODES,
} from '../core/config.js';
import { UsageError, usage } from '../core/errors.js';
import { C, L, LAYOUT_FINGERPRINT } from '../core/memory.js';
import { MODEL_NAMES } from '../core/models.js';

const SNAPSHOT_VERSION = 2;
const MAGIC = 'IPISTORM';
const MODEL_AT = 44;
const IOAPICS_AT = 48;
const BUS_AT = 84;
const TIMER_AT = 88;
const TSC_AT = 92;
const CPU_AT = 96;
const FIXED = 100;
const FLAGS =
  C.FLAG_NO_IPI_BROADCAST |
  C.FLAG_NO_HOTPLUG_CPU |
  C.FLAG_NO_FENCE |
  C.FLAG_COUNT_VECTORS |
  C.FLAG_EARLY_ISR;
const CONFIG_WORDS = [L.H_CPUS, L.H_MODE, L.H_DRIVER, L.H_ERA, L.H_FLAGS];

/** FNV-1a over 32-bit words, then bytes. */
function checksum(bytes: Uint8Array): number {
  let h = 0x811c9dc5;
  for (const byte of bytes) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}

function stateBytes(cpus: number, flags: number, ioapics: number): number {
  const counts = flags & C.FLAG_COUNT_VECTORS ? L.COUNTS_BYTES : 0;
  const perCpu = L.ROW_BYTES + L.COLD_BYTES + L.HANDLERS_BYTES + 4 + counts;
  return L.H_STATE_END - L.H_STATE + cpus * perCpu + ioapics * L.IOAPIC_BYTES;
}

/** The state regions: [address, bytes]. */
function regions(view: DataView, cpus: number): [number, number][] {
  const counts = view.getUint32(L.H_FLAGS, true) & C.FLAG_COUNT_VECTORS ? L.COUNTS_BYTES : 0;
  return [
    [L.H_STATE, L.H_STATE_END - L.H_STATE],
    [view.getUint32(L.H_ROWS, true), cpus * L.ROW_BYTES],
    [view.getUint32(L.H_COLD, true), cpus * L.COLD_BYTES],
    [view.getUint32(L.H_WAKE, true), cpus * 4],
    [view.getUint32(L.H_HANDLERS, true), cpus * L.HANDLERS_BYTES],
    [view.getUint32(L.H_IOAPICS, true), view.getUint32(L.H_IOAPIC_COUNT, true) * L.IOAPIC_BYTES],
    [view.getUint32(L.H_COUNTS, true), cpus * counts],
  ];
}

/** The state regions, one after the other. */
export function readState(memory: ArrayBuffer): Uint8Array {
  const view = new DataView(memory);
  const cpus = view.getUint32(L.H_CPUS, true);
  const parts = regions(view, cpus);
  const out = new Uint8Array(parts.reduce((sum, [, bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [from, bytes] of parts) {
    out.set(new Uint8Array(memory, from, bytes), at);
    at += bytes;
  }
  return out;
}

export function takeSnapshot(memory: ArrayBuffer, config: MachineConfig): Uint8Array {
  const view = new DataView(memory);
  const cpus = view.getUint32(L.H_CPUS, true);
  const ioapics = view.getUint32(L.H_IOAPIC_COUNT, true);
  const flags = view.getUint32(L.H_FLAGS, true);
  const out = new Uint8Array(FIXED + cpus * 4 + stateBytes(cpus, flags, ioapics));
  const head = new DataView(out.buffer);
  for (let i = 0; i < 8; i++) out[i] = MAGIC.charCodeAt(i);
  head.setUint32(8, SNAPSHOT_VERSION, true);
  head.setUint32(12, LAYOUT_FINGERPRINT, true);
  head.setUint32(16, out.length, true);
  CONFIG_WORDS.forEach((field, i) => {
    head.setUint32(24 + i * 4, view.getUint32(field, true), true);
  });
  head.setUint32(MODEL_AT, MODEL_NAMES.indexOf(config.model), true);
  head.setUint32(BUS_AT, Math.round(config.busMHz * 1000), true);
  head.setUint32(TIMER_AT, Math.round(config.timerMHz * 1000), true);
  head.setUint32(TSC_AT, Math.round(config.tscMHz * 1000), true);
  head.setUint32(CPU_AT, config.physicalBits | (config.x2apic ? 0x100 : 0), true);
  head.setUint32(IOAPICS_AT, ioapics, true);
  for (let n = 0; n < ioapics; n++) {
    head.setUint32(IOAPICS_AT + 4 + 4 * n, view.getUint32(L.H_IOAPIC_CONFIG + 4 * n, true), true);
  }
  const ident = view.getUint32(L.H_IDENT, true);
  for (let cpu = 0; cpu < cpus; cpu++) {
    head.setUint32(FIXED + cpu * 4, view.getUint32(ident + cpu * L.IDENT_BYTES, true), true);
  }
  out.set(readState(memory), FIXED + cpus * 4);
  head.setUint32(20, checksum(out.subarray(24)), true);
  return out;
}

export interface SnapshotConfig {
  cpus: number;
  mode: number;
  driver: number;
  era: number;
  flags: number;
  apicIds: Uint32Array;
  /** Index in MODEL_NAMES. */
  model: number;
  ioapics: IoapicConfig[];
  busMHz: number;
  timerMHz: number;
  tscMHz: number;
  physicalBits: number;
  x2apic: boolean;
}

const NEXT = 'pass what machine.snapshot() returned, whole';

/** The header's words of any ipistorm's snapshot. */
function openMagic(bytes: Uint8Array): (at: number) => number {
  checkBytes('snapshot', bytes, 'the Uint8Array of machine.snapshot()');
  const magic = String.fromCharCode(...bytes.subarray(0, 8));
  if (magic !== MAGIC || bytes.length < FIXED)
    throw usage('snapshot', magic, `magic "${MAGIC}"`, NEXT);
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return (at) => head.getUint32(at, true);
}

/** The header's words of a snapshot that this very ipistorm has taken. */
function openHeader(bytes: Uint8Array): (at: number) => number {
  const word = openMagic(bytes);
  if (word(8) !== SNAPSHOT_VERSION)
    throw usage(
      'snapshot version',
      word(8),
      String(SNAPSHOT_VERSION),
      'take it again with this ipistorm',
    );
  if (word(12) !== LAYOUT_FINGERPRINT) {
    throw usage(
      'snapshot layout',
      word(12),
      String(LAYOUT_FINGERPRINT),
      'take it again with this ipistorm',
    );
  }
  return word;
}

/** Checks a snapshot's envelope, in this order: magic, version, fingerprint, size, checksum. */
export function openSnapshot(bytes: Uint8Array): SnapshotConfig {
  const word = openHeader(bytes);
  const cpus = word(24);
  if (cpus < 1 || cpus > L.CPUS_MAX) throw usage('snapshot cpus', cpus, `1-${L.CPUS_MAX}`, NEXT);
  const flags = word(40);
  if ((flags & ~FLAGS) !== 0) throw usage('snapshot flags', flags, `bits of ${FLAGS}`, NEXT);
  const model = word(MODEL_AT);
  if (model >= MODEL_NAMES.length)
    throw usage('snapshot model', model, `0-${MODEL_NAMES.length - 1}`, NEXT);
  const count = word(IOAPICS_AT);
  if (count > L.IOAPIC_MAX) throw usage('snapshot ioapics', count, `0-${L.IOAPIC_MAX}`, NEXT);
  const size = FIXED + cpus * 4 + stateBytes(cpus, word(40), count);
  if (bytes.length !== size || word(16) !== size)
    throw usage('snapshot size', bytes.length, `${size} bytes`, NEXT);
  if (checksum(bytes.subarray(24)) !== word(20))
    throw usage('snapshot', 'a wrong checksum', 'an unchanged snapshot', NEXT);
  const apicIds = Uint32Array.from({ length: cpus }, (_, i) => word(FIXED + i * 4));
  const ioapics = Array.from({ length: count }, (_, n) =>
    ioapicConfig(word(IOAPICS_AT + 4 + 4 * n)),
  );
  return {
    cpus,
    mode: word(28),
    driver: word(32),
    era: word(36),
    flags: word(40),
    apicIds,
    model,
    ioapics,
    busMHz: word(BUS_AT) / 1000,
    timerMHz: word(TIMER_AT) / 1000,
    tscMHz: word(TSC_AT) / 1000,
    physicalBits: word(CPU_AT) & 0xff,
    x2apic: (word(CPU_AT) & 0x100) !== 0,
  };
}

/** The id is state, and comes with it. */
function ioapicConfig(word: number): IoapicConfig {
  return { pins: word & 0xffff, version: (word >>> 16) as 0x11 | 0x20, id: 0 };
}

/** The options that make a machine of a snapshot's configuration. @throws UsageError for unknown codes */
export function optionsOf(saved: SnapshotConfig): MachineOptions {
  return {
    mode: nameOf('mode', MODES, saved.mode),
    driver: nameOf('driver', DRIVERS, saved.driver),
    era: nameOf('era', ERAS, saved.era),
    apicIds: saved.apicIds,
    noIpiBroadcast: (saved.flags & C.FLAG_NO_IPI_BROADCAST) !== 0,
    hotplugCpu: (saved.flags & C.FLAG_NO_HOTPLUG_CPU) === 0,
    vendor: saved.flags & C.FLAG_NO_FENCE ? 'amd' : 'intel',
    countVectors: (saved.flags & C.FLAG_COUNT_VECTORS) !== 0,
    isrSetAt: saved.flags & C.FLAG_EARLY_ISR ? 'dispatch' : 'take',
    model: MODEL_NAMES[saved.model]!,
    ioapics: saved.ioapics,
    busMHz: saved.busMHz,
    timerMHz: saved.timerMHz,
    tscMHz: saved.tscMHz,
    physicalBits: saved.physicalBits,
    x2apic: saved.x2apic,
  };
}

function nameOf<T extends string>(what: string, table: Record<T, number>, code: number): T {
  const found = (Object.keys(table) as T[]).find((key) => table[key] === code);
  if (!found) throw usage(`snapshot ${what}`, code, `0-${Object.keys(table).length - 1}`);
  return found;
}

/** Whether a snapshot is of a machine with this very configuration. */
export function isOf(saved: SnapshotConfig, config: MachineConfig, flags: number): boolean {
  return (
    saved.cpus === config.cpus &&
    saved.mode === MODES[config.mode] &&
    saved.driver === DRIVERS[config.driver] &&
    saved.era === ERAS[config.era] &&
    saved.flags === flags &&
    MODEL_NAMES[saved.model] === config.model &&
    sameIoapics(saved.ioapics, config.ioapics) &&
    saved.busMHz === config.busMHz &&
    saved.timerMHz === config.timerMHz &&
    saved.tscMHz === config.tscMHz &&
    saved.physicalBits === config.physicalBits &&
    saved.x2apic === config.x2apic &&
    saved.apicIds.every((id, cpu) => id === config.apicIds[cpu])
  );
}

/** Sizes and versions; ids are state. */
function sameIoapics(a: readonly IoapicConfig[], b: readonly IoapicConfig[]): boolean {
  const shape = (list: readonly IoapicConfig[]) =>
    list.map((io) => `${io.pins} ${io.version}`).join();
  return shape(a) === shape(b);
}

/** The state regions of an opened snapshot. */
export function stateOf(bytes: Uint8Array): Uint8Array {
  const cpus = new DataView(bytes.buffer, bytes.byteOffset).getUint32(24, true);
  return bytes.subarray(FIXED + cpus * 4);
}

/** Copies state regions into a machine of the same configuration. */
export function writeState(state: Uint8Array, memory: ArrayBuffer): void {
  const view = new DataView(memory);
  let at = 0;
  for (const [to, length] of regions(view, view.getUint32(L.H_CPUS, true))) {
    new Uint8Array(memory, to, length).set(state.subarray(at, at + length));
    at += length;
  }
  view.setUint32(L.H_LOGGING, 0, true);
}

/** What Machine.checkSnapshot() tells. */
export interface SnapshotCheck {
  /** Format, layout fingerprint and CPUs, as the header has them; undefined when there is no header. */
  version: number | undefined;
  fingerprint: number | undefined;
  cpus: number | undefined;
  /** The machine's configuration, when it can be restored. */
  config: MachineConfig | undefined;
  /** What Machine.restore() would throw; undefined for a good snapshot. */
  error: Error | undefined;
}

/** `restore` makes a machine of it and returns that one's configuration. */
export function inspect(bytes: Uint8Array, restore: () => MachineConfig): SnapshotCheck {
  const word = headerWords(bytes);
  const header = { version: word?.(8), fingerprint: word?.(12), cpus: word?.(24) };
  try {
    return { ...header, config: restore(), error: undefined };
  } catch (error) {
    return { ...header, config: undefined, error: error as Error };
  }
}

function headerWords(bytes: Uint8Array): ((at: number) => number) | undefined {
  try {
    return openMagic(bytes);
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}
