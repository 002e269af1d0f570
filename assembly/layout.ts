// THE memory map. Read by asc (the core) and by tsc (the host); nobody else
// knows an offset. Only `export const NAME = integer expression`.
//
//   0      HEADER    configuration, bases, ledger, storm state     4 KiB
//   ...    (static data of debug builds)
//   arena  ROWS      one 128-byte row per local APIC               cpus << 7
//          COLD      TMR and rare counters                         cpus << 6
//          WAKE      CPUs with news since the list was last taken  cpus << 2
//          --------- everything above is state; below is derived or scratch
//          IDENT     APIC id, LDR, cluster of each CPU             cpus << 4
//          DIRECTORY APIC id -> CPU, open addressing               slots << 3
//          CLUSTERS  members and cpumask words of each cluster     cpus << 7
//          MASKS     cpumasks                                      4 x words << 3
//          LOG       what one send wrote                           entries << 4
//          COUNTS    deliveries by CPU and vector, when asked for  cpus << 10

export const LAYOUT_VERSION = 1;
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
export const LEDGER_COUNT = 11;

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
export const H_STATE_END = 832;

// Row of one local APIC: two cache lines.
//
//   0  IRR     16 x u16, one word per priority class (vector >> 4)
//  32  ISR     16 x u16
//  64  CLASSES u64: | 63..48 TMR | 47..40 flags | 39..32 TPR | 31..16 ISR | 15..0 IRR |
//              (the three 16-bit fields name the classes with a bit set)
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
export const CLASSES_FLAGS_SHIFT = 40;
export const CLASSES_TMR_SHIFT = 48;

// Cold part of one local APIC.
export const COLD_SHIFT = 6;
export const COLD_BYTES = 64;
export const C_TMR = 0; // 16 x u16
export const C_NMIS = 32; // u64

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
export const CLUSTER_WORDS_END = 128;
export const W_BITS = 0;
export const W_INDEX = 8;
export const W_USED = 12;

// Log entry: kind, dest, low, extra (u32 each).
export const LOG_SHIFT = 4;
export const LOG_BYTES = 16;

// Deliveries of one CPU: 256 x u32.
export const COUNTS_SHIFT = 10;
export const COUNTS_BYTES = 1024;

export const CPUS_MAX = 65536;
export const FIRST_LEGAL_VECTOR = 16;
