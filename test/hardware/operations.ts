// The vocabulary that the core, the reference model and the conformance cases share: what is done to a
// machine, and everything that can be seen of it. Numbers are plain; MSR values are hex strings.
import type { Model } from '../../src/core/models.js';

/** How a machine starts. */
export interface HardwareConfig {
  model: Model;
  /** Hardware (initial) APIC id of each CPU; CPU 0 is the boot processor. */
  apicIds: number[];
  /**
   * `reset`: power-on state. `xapic-flat`, `xapic-cluster`, `xapic-physical`, `x2apic`: as `reset`, then
   * enabled by software: SVR = 0x1ff, IF = 1, no CPU waits for a SIPI; xapic-flat writes LDR =
   * 1 << (24 + cpu), xapic-cluster DFR = 0x0fffffff and LDR = (cpu >> 2) << 28 | 1 << (24 + (cpu & 3));
   * x2apic sets IA32_APIC_BASE bit 10 first.
   */
  start: 'reset' | 'xapic-flat' | 'xapic-cluster' | 'xapic-physical' | 'x2apic';
  /** When the ISR bit is set: when the CPU takes the interrupt (the SDM's rule, default), or at dispatch. */
  isrSetAt?: 'take' | 'dispatch';
  /** I/O APICs; default one with 24 pins, version 0x20, id 0. */
  ioapics?: { pins: number; version: 0x11 | 0x20; id: number }[];
}

export type LvtName = 'timer' | 'thermal' | 'perf' | 'lint0' | 'lint1' | 'error' | 'cmci';
export const LVT_NAMES: readonly LvtName[] = [
  'timer',
  'thermal',
  'perf',
  'lint0',
  'lint1',
  'error',
  'cmci',
];

export type Operation =
  // Registers. Results: a number or hex string read, 'ok' written, 'GP'.
  | { op: 'rdmsr'; cpu: number; msr: number }
  | { op: 'wrmsr'; cpu: number; msr: number; value: string }
  | { op: 'mmio_read'; cpu: number; offset: number; size?: 1 | 2 | 4 }
  | { op: 'mmio_write'; cpu: number; offset: number; value: number; size?: 1 | 2 | 4 }
  | { op: 'cr8_read'; cpu: number }
  | { op: 'cr8_write'; cpu: number; value: number }
  // Messages from outside. Result: how many local APICs took it (-1: nobody was addressed).
  | {
      op: 'message';
      dest: number;
      logical: boolean;
      delivery: number;
      vector: number;
      level: boolean;
    }
  | { op: 'msi'; address: string; data: number }
  // Pins and local events. Result: 'ok'.
  | { op: 'lint'; cpu: number; pin: 0 | 1; high: boolean }
  | { op: 'local'; cpu: number; lvt: 'thermal' | 'perf' | 'cmci' }
  | { op: 'irq'; ioapic: number; pin: number; high: boolean }
  | { op: 'ioapic_read'; ioapic: number; offset: number }
  | { op: 'ioapic_write'; ioapic: number; offset: number; value: number }
  | { op: 'pic_irq'; line: number; high: boolean }
  | { op: 'pic_read'; port: number }
  | { op: 'pic_write'; port: number; value: number }
  // The local APIC's side of the CPU. acknowledge: 'none', 'vector v', 'spurious v'.
  | { op: 'acknowledge'; cpu: number }
  | { op: 'init_reset'; cpu: number }
  | { op: 'power_on' }
  // A minimal CPU. take: 'none', 'init', 'sipi v', 'smi', 'nmi', 'extint v', 'vector v', 'spurious v'.
  | { op: 'take'; cpu: number }
  // 'matched v', 'stray', 'other v'
  | { op: 'eoi'; cpu: number }
  // 'none', or what returned: 'smi', 'nmi', 'extint v', 'vector v', 'spurious v'
  | { op: 'iret'; cpu: number }
  | { op: 'set_if'; cpu: number; value: boolean }
  | { op: 'shadow'; cpu: number }
  | { op: 'halt'; cpu: number }
  // Virtual time. Result: 'ok'.
  | { op: 'advance'; ns: number };

export interface ApicState {
  /** IA32_APIC_BASE as hex. */
  base: string;
  id: number;
  version: number;
  tpr: number;
  ppr: number;
  apr: number;
  ldr: number;
  dfr: number;
  svr: number;
  esr: number;
  icr_low: number;
  icr_high: number;
  lvt: Record<LvtName, number>;
  initial_count: number;
  current_count: number;
  divide: number;
  /** IA32_TSC_DEADLINE as hex. */
  deadline: string;
  irr: number[];
  isr: number[];
  tmr: number[];
  /** Latches toward the CPU. */
  nmi: boolean;
  smi: boolean;
  init: boolean;
  /** Start-up vector, -1 when none is pending. */
  sipi: number;
  extint: boolean;
  intr: boolean;
  /** Minimal CPU. */
  waiting: boolean;
  halted: boolean;
  interrupt_flag: boolean;
  shadow: boolean;
  /** Running handlers, outermost first: 'nmi', 'smi', 'extint v', 'vector v', 'spurious v'. */
  handlers: string[];
  counters: {
    attempted: number;
    delivered: number;
    coalesced: number;
    rejected: number;
    discarded: number;
    eois: number;
    stray_eois: number;
    other_eois: number;
    nmis: number;
  };
}

export interface IoapicState {
  id: number;
  arb: number;
  /** 64-bit redirection entries as hex, remote IRR and delivery status included. */
  entries: string[];
}

export interface PicState {
  irr: number;
  isr: number;
  imr: number;
}

export interface BusState {
  messages: number;
  retries: number;
  clocks: number;
}

export interface MachineState {
  now_ns: number;
  apics: ApicState[];
  ioapics: IoapicState[];
  /** Primary and secondary 8259, and whether the primary asserts its output. */
  pics: [PicState, PicState];
  pic_output: boolean;
  /** Serial APIC bus; all 0 in models without one. */
  bus: BusState;
  /** Messages that found nobody. */
  unclaimed: number;
}

/** What the core's adapter and the reference model both are. */
export interface Hardware {
  apply(operation: Operation): string | number;
  state(): MachineState;
}
