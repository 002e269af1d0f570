// The records of linear memory, as layout.ts draws them: a field is read and written by its name, at the
// width it has. checks.ts holds both to each other.
import * as L from './layout';

/** What create() was given, and where the regions are. */
@unmanaged
export class Config {
  cpus: u32;
  mode: u32;
  driver: u32;
  era: u32;
  flags: u32;
  maskWords: u32;
  directoryMask: u32;
  wideIds: u32;
  rows: u32;
  cold: u32;
  wake: u32;
  ident: u32;
  directory: u32;
  clusters: u32;
  maskArg: u32;
  maskCopy: u32;
  maskOf: u32;
  maskOnline: u32;
  log: u32;
  logCapacity: u32;
  counts: u32;
  end: u32;
  ioapics: u32;
  ioapicCount: u32;
  effects: u32;
  effectCapacity: u32;
  handlers: u32;
  early: u32;
  timerKhz: u32;
  tscKhz: u32;
  news: u32;
}

export const config = changetype<Config>(<usize>L.H_CPUS);

/** How long the wake list and the write log are, and what the last audit found. */
@unmanaged
export class Lists {
  wakeCount: u32;
  logging: u32;
  logCount: u32;
  audit: u32;
}

export const lists = changetype<Lists>(<usize>L.H_WAKE_COUNT);

/** What the sender paid. */
@unmanaged
export class Ledger {
  sends: u64;
  icrWrites: u64;
  icr2Writes: u64;
  selfIpiWrites: u64;
  fences: u64;
  irqSaves: u64;
  maskCopies: u64;
  maskWords: u64;
  idlePolls: u64;
  hypercalls: u64;
  unclaimed: u64;
}

export const ledger = changetype<Ledger>(<usize>L.L_SENDS);

/** The storm under way. */
@unmanaged
export class StormState {
  index: u64;
  seed: u64;
  pattern: u32;
  via: u32;
  depth: u32;
  waiting: u32;
  vectorCount: u32;
  vectorNext: u32;
  sourceNext: u32;
  target: u32;
  size: u32;
  stride: u32;
}

export const stormState = changetype<StormState>(<usize>L.S_INDEX);

/** The clock, the serial bus, and counts of what is out of the ordinary. */
@unmanaged
export class Devices {
  now: u64;
  odd: u32;
  slowModel: u32;
  busMessages: u64;
  busRetries: u64;
  busClocks: u64;
  busWaiting: u32;
  braked: u32;
  timers: u32;
}

export const devices = changetype<Devices>(<usize>L.H_NOW);

/** What an exported function returns beside its status, and tracing. */
@unmanaged
export class Outcome {
  result: i64;
  trace: u32;
  effectCount: u32;
}

export const outcome = changetype<Outcome>(<usize>L.H_RESULT);

/** One local APIC: two cache lines, drawn in layout.ts. */
@unmanaged
export class Row {
  irr0: u64;
  irr1: u64;
  irr2: u64;
  irr3: u64;
  isr0: u64;
  isr1: u64;
  isr2: u64;
  isr3: u64;
  classes: u64;
  hash: u64;
  attempted: u64;
  delivered: u64;
  eois: u64;
  coalesced: u64;
  rejected: u64;
  strayEois: u64;
}

/** A row seen from one priority class: its word of IRR, and 32 bytes on its word of ISR. */
@unmanaged
export class ClassWords {
  irr: u16;
  pad0: u16;
  pad1: u32;
  pad2: u64;
  pad3: u64;
  pad4: u64;
  isr: u16;
}

/** 256 vectors: 16 words of 16, one for each priority class. */
@unmanaged
export class VectorSet {
  @inline word(top: u32): u32 {
    return load<u16>(changetype<usize>(this) + ((<usize>top) << 1));
  }

  @inline setWord(top: u32, word: u32): void {
    store<u16>(changetype<usize>(this) + ((<usize>top) << 1), <u16>word);
  }

  @inline has(vector: u32): bool {
    return ((this.word(vector >> 4) >> (vector & 15)) & 1) != 0;
  }

  /** Vectors `n << 5` to `n << 5 | 31`, as a register shows them. */
  @inline half(n: u32): u32 {
    return load<u32>(changetype<usize>(this) + ((<usize>n) << 2));
  }

  @inline setHalf(n: u32, bits: u32): void {
    store<u32>(changetype<usize>(this) + ((<usize>n) << 2), bits);
  }

  fill(byte: u32): void {
    memory.fill(changetype<usize>(this), <u8>byte, 32);
  }
}

/** Registers of one local APIC, and the CPU's side. */
@unmanaged
export class Cold {
  tmr0: u64;
  tmr1: u64;
  tmr2: u64;
  tmr3: u64;
  nmis: u64;
  discarded: u64;
  otherEois: u64;
  base: u64;
  deadline: u64;
  expiry: u64;
  svr: u32;
  dfr: u32;
  esr: u32;
  esrPending: u32;
  icr: u32;
  icrHigh: u32;
  lvtTimer: u32;
  lvtThermal: u32;
  lvtPerf: u32;
  lvtLint0: u32;
  lvtLint1: u32;
  lvtError: u32;
  lvtCmci: u32;
  initialCount: u32;
  divide: u32;
  xapicId: u32;
  latch: u32;
  sipi: u32;
  dispatched: u32;
  arb: u32;
  depth: u32;
  busDest: u32;
  busLow: u32;
  extControl: u32;
  ier0: u64;
  ier1: u64;
  ier2: u64;
  ier3: u64;
  extLvt0: u32;
  extLvt1: u32;
  extLvt2: u32;
  extLvt3: u32;
  pir0: u64;
  pir1: u64;
  pir2: u64;
  pir3: u64;
  ldr: u32;
  posted: u32;
  turnedAway: u32;
  icrOther: u32;
  fraction: u32;
}

/** Who a CPU is on the bus. */
@unmanaged
export class Ident {
  apicId: u32;
  ldr: u32;
  cluster: u32;
}

/** One I/O APIC, before its pins. */
@unmanaged
export class IoApic {
  brake: u64;
  id: u32;
  select: u32;
  arb: u32;
  arbId: u32;
}

/** One pin and its redirection entry. */
@unmanaged
export class Pin {
  entry: u64;
  line: u32;
  served: u32;
}

/** One word of a cluster's cpumask. */
@unmanaged
export class ClusterWord {
  bits: u64;
  index: u32;
  used: u32;
}

/** APIC id -> CPU + 1, 0 for an empty slot. */
@unmanaged
export class DirectorySlot {
  apicId: u32;
  cpuPlusOne: u32;
}

/** What one write of a sender was. */
@unmanaged
export class LogEntry {
  kind: u32;
  dest: u32;
  low: u32;
  extra: u32;
}

/** What an operation did. */
@unmanaged
export class Effect {
  kind: u32;
  cpu: u32;
  vector: i32;
  bits: u32;
}

/** Arbitration id of an agent on the serial bus, a CPU's or an I/O APIC's. */
@unmanaged
export class Arbiter {
  id: u32;
}
