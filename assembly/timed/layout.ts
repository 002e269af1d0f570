// The memory map of the timed engine: one block of scalars, then its regions. Read by asc and tsc, as
// layout.ts is. Times are picoseconds (u64); NEVER is the largest.
//
//   TIMED    scalars, costs, faults, workloads                16 KiB
//   TABLES   quantiles of costs that vary                     16 x 257 x u64
//   HISTS    latency histograms                               11 x 45,056 x u64
//   NODES    one row per CPU, then the serial bus, then the locks      nodes x 2 KiB
//   SLOTS    per CPU and vector: the send that waits in IRR   cpus x 256 x 32 B
//   HEAP     nodes in order of their next event               nodes x 8
//   TMASKS   per CPU: call, ipi and two locked cpumasks       cpus x 4 x words << 3
//   PLACES   per CPU: core, CCD, socket                       (in the row)
//   MATRIX   IPIs by source and target, 64 x 64 cells       u64
//   TLOG     what happened, while somebody listens            entries x 32
//   OUTBOX   messages of the send under way, and marks         (cpus + 16) x 100
//   TRACE    recorded operations and their cpumasks           as many as the host wants
//   POOL     messages under way and queued calls              grows by 1 MiB

export const TIMED_BYTES = 16384;

// Scalars (u32 unless said).
export const TM_NODES = 0;
export const TM_SCHEDULER = 4;
export const TM_SEED = 8; // u64
export const TM_LOOKAHEAD = 16; // u64
export const TM_NOW = 24; // u64, all events before it are done
export const TM_WINDOW = 40; // u64, end of the window under way
export const TM_EVENTS = 48; // u64
export const TM_WINDOWS = 56; // u64
export const TM_STATUS = 64;
export const TM_LOGGING = 68;
/** Of TM_LOGGING: faults and what the kernel would print; everything. */
export const LOGGING_MESSAGES = 2;
export const LOGGING_ALL = 1;
export const TM_LOG_COUNT = 72;
export const TM_LOG_CAPACITY = 76;
export const TM_LOG_FROM = 80; // u64
export const TM_LOG_UNTIL = 88; // u64
export const TM_FREE = 96; // first free record of the pool
export const TM_POOL_BYTES = 100;
export const TM_WORKLOADS = 104;
export const TM_FAULT_COUNT = 108;
export const TM_ONLINE_LOG2 = 112;
export const TM_CSD_TIMEOUT = 120; // u64 ps, 0: no watch
export const TM_PANIC = 128; // u64 ps, 0: never
export const TM_LAST = 136; // u64, time of the last event
export const TM_STOP_SENDING = 144; // u64 ps: workloads start nothing from then on
export const TM_SLOWEST = 160; // 8 x (wait u64, begin u64, cpu u32, target u32, what u32, pad)
export const SLOWEST_BYTES = 32;
export const SLOWEST_COUNT = 8;

// Bases of the regions, for the host.
export const TM_TABLES = 448;
export const TM_HISTS = 452;
export const TM_ROWS = 456;
export const TM_SLOTS = 460;
export const TM_MASKS = 464;
export const TM_LOG = 468;
export const TM_MATRIX = 472;
export const TM_MATRIX_SHIFT = 476; // log2 of the CPUs in a cell
/** CPU + 1 whose story the log tells, and that of who waits for it; 0: everybody's. */
export const TM_LOG_TARGET = 480;
export const TM_LOG_WAITER = 484;
/** Where the host puts recorded operations and their cpumasks. */
export const TM_TRACE = 488;

// Counters (u64 each).
export const TM_COUNTS = 512;
export const TM_COUNT_MAX = 64;

// Costs: | quantile table + 1, or 0 u32 | pad | ps u64 |.
export const TM_COSTS = 1024;
export const COST_SHIFT = 4;
export const COST_MAX = 64;

// Faults.
export const TM_FAULTS = 2048;
export const FAULT_SHIFT = 6;
export const FAULT_MAX = 8;
export const FT_KIND = 0;
export const FT_FROM = 4; // CPU + 1, 0: any
export const FT_TO = 8;
export const FT_VECTOR = 12; // vector + 1, 0: any
export const FT_NTH = 16; // from 1; 0: by chance
export const FT_COUNT = 20; // how many from the nth on
export const FT_CHANCE = 24; // u64, of 2^32
export const FT_DELAY = 32; // u64 ps
export const FT_AT = 40; // u64 ps: not before

/** The ledger as the send under way last saw it. */
export const TM_SEEN = 2560;

// Workloads.
export const TM_WORK = 4096;
export const WORK_SHIFT = 7;
export const WORK_MAX = 64;
export const WK_OP = 0;
export const WK_TARGETS = 4; // how a target is chosen
export const WK_TARGET = 8; // CPU, or stride
export const WK_SIZE = 12; // CPUs in a mask
export const WK_FUNC = 16;
export const WK_WAIT = 20;
export const WK_VECTOR = 24;
export const WK_LOCK = 28; // lock + 1 held around it
export const WK_WEIGHT = 32;
export const WK_FUNC_LOCK = 36; // lock + 1 that the called function takes
export const WK_LOOPS = 40; // u64 a CPU, 0: no end
export const WK_PERIOD = 48; // u64 ps, 0: closed loop
export const WK_THINK = 56; // u64 ps of user work before each
export const WK_START = 64; // u64 ps
export const WK_BURST = 72; // operations at each intended time
export const WK_SPREAD = 76; // 0 periodic, 1 exponential gaps
export const WK_IDLE = 80; // 0 halts, 1 polls
export const WK_COUNT = 84; // entries of this mix, from here on
export const WK_TARGET_FIRST = 88;
export const WK_TARGET_LAST = 92;
export const WK_BUSY = 96; // 1: user work while it waits for its time
export const WK_HERE = 100; // 1: the caller's own share runs here; 2: and first in linux-4.0
export const WK_STAGGER = 104; // u64 ps by which each CPU starts after the one before
export const WK_COND = 112; // u64, of 2^32: how likely a CPU is to meet the condition

// A recorded operation.
export const RECORDED_BYTES = 32;
export const RC_TIME = 0; // u64 ps
export const RC_OP = 8; // DO_SEND, DO_CALL_SINGLE, DO_CALL_MANY, DO_WAKE or DO_IRQ_WORK
export const RC_TARGET = 12; // CPU, or the address of a cpumask
export const RC_FUNC = 16;
export const RC_WAIT = 20;
export const RC_VECTOR = 24;

// Quantile tables and histograms.
export const TABLE_MAX = 16;
export const TABLE_BYTES = 2112;
export const TABLE_STEPS = 256;
/** HdrHistogram with three digits: 2048 sub-buckets, values up to 2^54 ps (5 hours). */
export const HIST_SUB_BITS = 11;
export const HIST_COUNTS = 45056;
export const HIST_HEADER = 32; // count, sum, min, max
export const HIST_BYTES = 360480;

// Row of a node.
export const NODE_SHIFT = 11;
export const NODE_BYTES = 2048;
export const N_END = 0; // u64, end of the running step
export const N_HASH = 8; // u64
export const N_DRAWS = 16; // u64
export const N_INBOX = 24;
export const N_SEQUENCE = 28;
export const N_DEPTH = 32;
export const N_IF = 36;
export const N_NOINT = 40;
export const N_IDLE = 44; // 0 busy, 1 halted, 2 polling
export const N_NEED_RESCHED = 48;
export const N_QUEUE = 52; // u32 x 2: call_single_queue, first and last
export const N_CSD_LOCKED = 60; // csd_data of asynchronous single calls
export const N_OUTSTANDING = 64; // locks that the call under way waits for
export const N_REPLIES = 68; // answers that the sender waits for
export const N_CURRENT = 72; // func + 1 of the call being handled
export const N_IN_NMI = 76;
export const N_WORK = 80; // workload + 1
export const N_CATEGORY = 84;
export const N_SINCE = 88; // u64
export const N_TIME = 96; // 6 x u64 by category
export const N_NOISE = 144; // u64 ps stolen from user work
export const N_NOISE_COUNT = 152; // u64
export const N_NOISE_MAX = 160; // u64
export const N_NOISE_SOURCE = 168;
export const N_NOISE_WHAT = 172;
export const N_LOOPS = 176; // u64 operations begun
export const N_INTENDED = 184; // u64
export const N_CORE = 192;
export const N_CCD = 196;
export const N_SOCKET = 200;
export const N_HEAP_AT = 204;
export const N_LOCK_WAITERS = 208; // bus and locks: first and last waiting message
export const N_LOCK_LAST = 212;
export const N_LOCK_HELD = 216;
export const N_BURST = 220;
export const N_SEEN = 224; // 8 x u32: messages that each fault has seen
export const N_PENDING_STORES = 256;
export const N_TURN = 272;
export const N_CALL = 276; // sequence number of the call under way
export const N_WAITS_FOR = 280; // target of a single call
export const N_REPORTS = 284;
export const N_ARB = 288; // arbitration id on the serial bus
export const N_BUS_WRITES = 292; // messages that this CPU has on the serial bus
export const N_HELD = 296; // vector + 1 of the message that a fault holds back
export const N_HELD_SOURCE = 300;
export const N_HELD_T0 = 304; // u64
export const N_HELD_T1 = 312; // u64
export const N_WAKE_LIST = 320; // linux-4.0: first and last
export const N_RAISED_LIST = 328;
export const N_FUNC = 336; // func + 1 that the interrupt ran first
export const N_FUNC_SOURCE = 340;
export const N_FLUSHES = 344; // u64, flush_tlb_func run for others
export const N_NOISE_FUNC = 352;
export const N_DEAD = 356;
export const N_MASK_LOST = 360;
export const N_CURRENT_SOURCE = 364;
export const N_TRACE = 368; // the next recorded operation, and behind the last
export const N_TRACE_END = 372;
export const N_FRAMES = 512;
export const FRAME_SHIFT = 6;
export const FRAME_BYTES = 64;
export const FRAME_MAX = 24;
export const F_PROC = 0;
export const F_PC = 4;
export const F_LEFT = 8; // u64, of the step that was interrupted; NEVER: it waits
export const F_INTERRUPT = 16; // 1: the frame came by interrupt
export const F_CATEGORY = 20;
export const F_A = 24;
export const F_B = 28;
export const F_C = 32;
export const F_D = 36;
export const F_T0 = 40; // u64
export const F_T1 = 48; // u64
export const F_E = 56;
export const F_G = 60;

// The send that waits in IRR, by CPU and vector.
export const SLOT_BYTES = 32;
export const SL_SENT = 0; // u64
export const SL_INTENDED = 8; // u64
export const SL_ACCEPTED = 16; // u64
export const SL_SOURCE = 24;
export const SL_MERGED = 28;

// A message, or a queued call.
export const MSG_BYTES = 64;
export const M_TIME = 0; // u64
export const M_SOURCE = 8; // u64: source << 32 | sequence
export const M_CHILD = 16;
export const M_NEXT = 20;
export const M_KIND = 24;
export const M_A = 28;
export const M_B = 32;
export const M_C = 36;
export const M_T0 = 40; // u64
export const M_T1 = 48; // u64
export const M_D = 56; // u64

// Entry of the log.
export const TLOG_BYTES = 32;
export const TL_TIME = 0; // u64
export const TL_CPU = 8;
export const TL_KIND = 12;
export const TL_A = 16;
export const TL_B = 20;
export const TL_C = 24; // u64

export const MATRIX_SHIFT = 6; // log2 of its side

export const TIMED_CPUS_MAX = 8192;
export const LOCKS = 4;
/** Messages of one send beyond one for each CPU. */
export const OUTBOX_SPARE = 16;
