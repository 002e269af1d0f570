// THE memory map. Read by asc (the core) and by tsc (the host); nobody else
// knows an offset. Only `export const NAME = integer expression`.
//
//   0      HEADER    configuration, bases, ledger, storm state     4 KiB
//   ...    (static data of debug builds)
//   arena  ROWS      one 128-byte row per local APIC               cpus << 7
//          COLD      registers, latches                            cpus << 9
//          WAKE      CPUs with news since the list was last taken  cpus << 3
//          HANDLERS  what each CPU runs                            cpus << 9
//          IOAPICS   redirection entries and pins                  ioapics << 13
//          --------- everything above is state; below is derived or scratch
//          IDENT     APIC id, LDR, cluster of each CPU             cpus << 4
//          DIRECTORY APIC id -> CPU, open addressing               slots << 3
//          CLUSTERS  members and cpumask words of each cluster     cpus << 7
//          MASKS     cpumasks                                      4 x words << 3
//          LOG       what one send wrote                           entries << 4
//          EFFECTS   what the last operation did, when traced      entries << 4
//          NEWS      head counter, then CPUs in a ring
//          COUNTS    deliveries by CPU and vector, when asked for  cpus << 10

export const HEADER_BYTES = 4096;

// Configuration (u32).
export const H_CPUS = 64;
export const H_MODE = 68;
export const H_DRIVER = 72;
export const H_ERA = 76;
export const H_FLAGS = 80;
export const H_MASK_WORDS = 84;
export const H_DIRECTORY_MASK = 88;
export const H_WIDE_IDS = 92;

// Bases of the regions (u32 addresses).
export const H_ROWS = 96;
export const H_COLD = 100;
export const H_WAKE = 104;
export const H_IDENT = 108;
export const H_DIRECTORY = 112;
export const H_CLUSTERS = 116;
export const H_MASK_ARG = 120;
export const H_MASK_COPY = 124;
export const H_MASK_OF = 128;
export const H_MASK_ONLINE = 132;
export const H_LOG = 136;
export const H_LOG_CAPACITY = 140;
export const H_COUNTS = 144;
export const H_END = 148;
export const H_IOAPICS = 152;
export const H_IOAPIC_COUNT = 156;
export const H_EFFECTS = 160;
export const H_EFFECT_CAPACITY = 164;
export const H_HANDLERS = 168;
/** 1: the ISR bit is set at dispatch to the CPU. */
export const H_EARLY = 172;
/** Clocks in kHz: the APIC timer's input, and the time-stamp counter. */
export const H_TIMER_KHZ = 176;
export const H_TSC_KHZ = 180;
export const H_NEWS = 184;

// State from here to H_STATE_END travels in snapshots.
export const H_STATE = 256;
export const H_WAKE_COUNT = 256;
export const H_LOGGING = 260;
export const H_LOG_COUNT = 264;
export const H_AUDIT = 268;

// Ledger: what the sender paid (u64 each).
export const L_SENDS = 320;
export const L_ICR_WRITES = 328;
export const L_ICR2_WRITES = 336;
export const L_SELF_IPI_WRITES = 344;
export const L_FENCES = 352;
export const L_IRQ_SAVES = 360;
export const L_MASK_COPIES = 368;
export const L_MASK_WORDS = 376;
export const L_IDLE_POLLS = 384;
export const L_HYPERCALLS = 392;
export const L_UNCLAIMED = 400;
export const LEDGER_BYTES = 88; // eleven of them

// Storm (u32 unless said).
export const S_INDEX = 512; // u64: sends made
export const S_SEED = 520; // u64
export const S_PATTERN = 528;
export const S_VIA = 532;
export const S_DEPTH = 536;
export const S_WAITING = 540; // sends since the last drain
export const S_VECTOR_COUNT = 544;
export const S_VECTOR_NEXT = 548;
export const S_SOURCE_NEXT = 552;
export const S_TARGET = 556;
export const S_SIZE = 560; // CPUs in a mask
export const S_STRIDE = 564;
export const S_VECTORS = 576; // 256 x u8

// Devices and time.
export const H_NOW = 832; // u64 ns
/** CPUs whose id, mode or DFR is not what the fast decode expects. */
export const H_ODD = 840;
/** 1: the model's destinations differ from the fast decode. Read as one u64 with H_ODD. */
export const H_SLOW_MODEL = 844;
export const H_BUS_MESSAGES = 848; // u64 each
export const H_BUS_RETRIES = 856;
export const H_BUS_CLOCKS = 864;
/** Senders whose message was rejected. */
export const H_BUS_WAITING = 872;
/** I/O APICs whose storm brake acts. */
export const H_BRAKED = 876;
/** Local APIC timers that run. */
export const H_TIMERS = 880;
export const H_PIC = 896; // two 8259s, 32 bytes each
export const H_STATE_END = 960;

// What an exported function returns beside its status, and tracing.
export const H_RESULT = 1024; // u64
export const H_TRACE = 1032;
export const H_EFFECT_COUNT = 1036;

/** Pins | version << 16 of each I/O APIC. */
export const H_IOAPIC_CONFIG = 1280;

/** The hardware model: u32 for each flag of codes.ts. */
export const H_MODEL = 1536;

// Row of one local APIC: two cache lines.
//
//   0  IRR     16 x u16, one word per priority class (vector >> 4)
//  32  ISR     16 x u16
//  64  CLASSES u64: | 63..48 TMR | 47..40 flags | 39..32 TPR | 31..16 ISR | 15..0 IRR |
//              (the three 16-bit fields name the classes with a bit set)
//              flags: 40 HOLD (nothing is dispatched: TPR's class reads as 16 or more),
//              41 LISTED (on the wake list), 42 SLOW (accept, dispatch and EOI take the slow path)
//  72  HASH    u64, this CPU's chain of events
//  80  counters, u64 each
export const ROW_SHIFT = 7;
export const ROW_BYTES = 128;
export const R_IRR = 0;
export const R_ISR = 32;
export const R_CLASSES = 64;
export const R_HASH = 72;
export const R_ATTEMPTED = 80;
export const R_DELIVERED = 88;
export const R_EOIS = 96;
export const R_COALESCED = 104;
export const R_REJECTED = 112;
export const R_STRAY_EOIS = 120;

export const CLASSES_ISR_SHIFT = 16;
export const CLASSES_TPR_SHIFT = 32;
export const CLASSES_TMR_SHIFT = 48;

export const CLASSES_HOLD_SHIFT = 40;
export const CLASSES_LISTED_SHIFT = 41;
/** From here up: SLOW and TMR. 0 means that the fast path is the whole story. */
export const CLASSES_SLOW_SHIFT = 42;

// Cold part of one local APIC: the register file and the CPU's side (u32 unless said).
export const COLD_SHIFT = 9;
export const COLD_BYTES = 512;
export const C_TMR = 0; // 16 x u16
export const C_NMIS = 32; // u64
export const C_DISCARDED = 40; // u64
export const C_OTHER_EOIS = 48; // u64
export const C_BASE = 56; // u64, IA32_APIC_BASE
export const C_DEADLINE = 64; // u64, IA32_TSC_DEADLINE
export const C_EXPIRY = 72; // u64 ns, 0: the timer is stopped
export const C_SVR = 80;
export const C_DFR = 84;
export const C_ESR = 88;
export const C_ESR_PENDING = 92;
export const C_ICR = 96;
export const C_ICR_HIGH = 100;
export const C_LVT = 104; // timer, thermal, perf, LINT0, LINT1, error, CMCI
export const C_INITIAL_COUNT = 132;
export const C_DIVIDE = 136;
export const C_XAPIC_ID = 140;
export const C_LATCH = 144;
export const C_SIPI = 148;
export const C_DISPATCHED = 152;
export const C_ARB = 156;
export const C_DEPTH = 160;
export const C_BUS_DEST = 164;
export const C_BUS_LOW = 168;
export const C_EXT_CONTROL = 172;
export const C_IER = 176; // 8
export const C_EXT_LVT = 208; // 4
export const C_PIR = 224; // 16 x u16, posted-interrupt requests
export const C_LDR = 256;
export const C_POSTED = 260; // 1: a notification is outstanding
export const C_TURNED_AWAY = 264; // 1: rejected the message on the bus
export const C_ICR_OTHER = 268; // upper half of the ICR in the other mode, where a model keeps both
export const C_FRACTION = 272; // of a ns, in units of 1/kHz of the timer's clock, beyond C_EXPIRY
export const C_USED = 276;

// What a CPU runs, outermost first, u16 each:
// | 14 NMIs blocked before (SMI) | 13 EOI written | 12 IF before | 11..8 kind | vector |
export const HANDLERS_SHIFT = 9;
export const HANDLERS_BYTES = 512;
export const HANDLERS_MAX = 256;

// The ring of news: a count of all entries ever made, then (from NEWS_ENTRIES on) the latest of them.
export const NEWS_ENTRIES = 64;
export const NEWS_SIZE = 1024;

// Latches toward the CPU, pins, and the CPU's own state, in C_LATCH.
export const LATCH_NMI = 1;
export const LATCH_SMI = 2;
export const LATCH_INIT = 4;
export const LATCH_SIPI = 8;
export const LATCH_EXTINT = 16;
export const LATCH_WAITING = 32;
export const LATCH_HALTED = 64;
export const LATCH_IF = 128;
export const LATCH_SHADOW = 256;
export const LATCH_LINT0 = 512;
export const LATCH_LINT1 = 1024;
export const LATCH_DISPATCHED = 2048;
export const LATCH_BUS = 4096;
export const LATCH_ODD = 8192;
export const LATCH_LAZY_EOI = 16384;
/** A second NMI, where a model holds two. */
export const LATCH_NMI_SECOND = 32768;
/** From an NMI's or SMI's entry on, until IRET. */
export const LATCH_NMI_BLOCKED = 65536;
/** From an SMI's entry until RSM. */
export const LATCH_SMM = 131072;

// I/O APIC: a header, then its pins.
export const IOAPIC_SHIFT = 13;
export const IOAPIC_BYTES = 8192;
export const IOAPIC_MAX = 8;
export const IO_BRAKE = 0; // u64 ns, when the storm brake lets go
export const IO_ID = 8;
export const IO_SELECT = 12;
export const IO_ARB = 16;
export const IO_ARB_ID = 20;
export const IO_PIN = 64; // 32 bytes each
export const PIN_SHIFT = 5;
export const PIN_ENTRY = 0; // u64
export const PIN_LINE = 8;
export const PIN_SERVED = 12; // EOIs in a row that found it active, where there is a brake
export const PINS_MAX = 240;

// 8259.
export const PIC_BYTES = 32;
export const P_IRR = 0;
export const P_ISR = 1;
export const P_IMR = 2;
export const P_BASE = 3;
export const P_LINES = 4;
export const P_ELCR = 5;
export const P_ICW = 6; // next ICW expected, 0: ready
export const P_ICW1 = 7;
export const P_ICW4 = 8;
export const P_LOWEST = 9; // line of lowest priority
export const P_READ_ISR = 10;
export const P_SPECIAL_MASK = 11;
export const P_ROTATE_AEOI = 12;
export const P_POLL = 13;

// Who a CPU is on the bus.
export const IDENT_SHIFT = 4;
export const IDENT_BYTES = 16;
export const I_APIC_ID = 0;
export const I_LDR = 4;
export const I_CLUSTER = 8; // row in CLUSTERS

// Directory slot: APIC id u32, CPU + 1 u32 (0 = empty).
export const SLOT_SHIFT = 3;

// Cluster row: 16 x u32, CPU + 1 of each id & 15 (0 = nobody); then the cluster's cpumask by words:
// 4 x (bits u64, word index u32, used u32). A cluster spread over more words has no such list.
export const CLUSTER_SHIFT = 7;
export const CLUSTER_WORDS = 64;
export const CLUSTER_WORD_COUNT = 4;
export const W_BITS = 0;
export const W_INDEX = 8;
export const W_USED = 12;

// Entry of the log of writes (kind, dest, low, extra) and of the effects (kind, cpu, vector, bits).
export const LOG_SHIFT = 4;
export const LOG_BYTES = 16;

// Deliveries of one CPU: 256 x u32.
export const COUNTS_SHIFT = 10;
export const COUNTS_BYTES = 1024;

export const CPUS_MAX = 65536;
export const FIRST_LEGAL_VECTOR = 16;
