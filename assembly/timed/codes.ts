// Codes of the timed engine, shared with the host.

// Costs, in the order of the cost file's names.
export const COST_SEND_SETUP = 0;
export const COST_MASK_CPU = 1;
export const COST_MASK_WORD = 2;
export const COST_MASK_COPY = 3;
export const COST_IRQ_SAVE = 4;
export const COST_FENCE = 5;
export const COST_FENCE_PER_STORE = 6;
export const COST_ICR_WRITE = 7;
export const COST_ICR_IDLE_POLL = 8;
export const COST_EXIT_UNICAST = 9;
export const COST_EXIT_MULTICAST = 10;
export const COST_HYPERCALL = 11;
export const COST_PER_TARGET = 12;
export const COST_WIRE_SELF = 13;
export const COST_WIRE_SMT = 14;
export const COST_WIRE_CORE = 15;
export const COST_WIRE_CCD = 16;
export const COST_WIRE_SOCKET = 17;
export const COST_ENTRY = 18;
export const COST_IDLE_WAKE = 19;
export const COST_POLL_WAKE = 20;
export const COST_EOI = 21;
export const COST_EXIT = 22;
export const COST_LINE_SMT = 23;
export const COST_LINE_CORE = 24;
export const COST_LINE_CCD = 25;
export const COST_LINE_SOCKET = 26;
export const COST_CALL_SETUP = 27;
export const COST_HANDLER = 28;
export const COST_BUS_CLOCK = 29;
/** The functions that a call runs, FUNC_COUNT of them. */
export const COST_FUNC = 32;
export const FUNC_COUNT = 16;

export const SCHEDULER_HEAP = 0;
export const SCHEDULER_WINDOWS = 1;

// What a workload does.
export const DO_SEND = 0; // apic->send_IPI
export const DO_SEND_MASK = 1; // apic->send_IPI_mask
export const DO_ALLBUTSELF = 2;
export const DO_SELF = 3;
export const DO_CALL_SINGLE = 4;
export const DO_CALL_MANY = 5;
export const DO_RESCHED = 6;
export const DO_WAKE = 7; // ttwu_queue_wakelist
export const DO_IRQ_WORK = 8;
export const DO_IRQS_OFF = 9;
export const DO_NOTHING = 10;
export const DO_STOP = 11; // native_stop_other_cpus
export const DO_CALL_ANY = 12;
export const DO_CALL_ASYNC = 13;
export const DO_IRQ_WORK_ON = 14;
export const DO_FUNC = 15; // the function, called directly
export const DO_TRACE = 16; // what the CPU's recording says, at its time

// How it chooses targets.
export const TO_FIXED = 0;
export const TO_NEXT = 1;
export const TO_RANDOM = 2;
export const TO_PAIR = 3;
export const TO_EACH = 4; // one after the other
export const TO_OTHERS = 5;
export const TO_ALL = 6; // with itself
export const TO_RANDOM_SET = 7;
export const TO_SELF = 8;
export const TO_CONTIGUOUS = 9;

// Procedures: what a frame does.
export const PROC_TASK = 0;
export const PROC_SEND = 1;
export const PROC_CALL_SINGLE = 2;
export const PROC_CALL_MANY = 3;
export const PROC_RESCHED = 4;
export const PROC_WAKE = 5;
export const PROC_HANDLER = 6;
export const PROC_FLUSH = 7;
export const PROC_FUNC = 8;
export const PROC_IRQS_OFF = 9;
export const PROC_STOP = 10;
export const PROC_DEAD = 11;
export const PROC_POLLED = 12; // what the idle loop does when somebody polled it awake

// Messages.
export const MSG_IPI = 0; // a vector or 0x400, b source
export const MSG_QUEUE = 1; // a type, b func, c flags; t0 when queued
export const MSG_QUEUED = 2; // a target, b was empty, c polling
export const MSG_UNLOCK = 3; // a target, b UNLOCK_*
export const MSG_NEED_RESCHED = 4;
export const MSG_NEED_RESCHED_SET = 5; // a target, b was set, c polling
export const MSG_LOCK = 6;
export const MSG_GRANT = 7;
export const MSG_RELEASE = 8;
export const MSG_IRQS_OFF = 9; // c ps
export const MSG_BUS = 10; // a low, b targets
export const MSG_PEEK = 11;
export const MSG_PEEKED = 12; // a func + 1, b it is the asker's
export const MSG_BUS_DONE = 13;
export const MSG_BUS_STATUS = 14;
export const MSG_STOPPED = 15; // a who

// Entries of call_single_queue.
export const CSD_SYNC = 0;
export const CSD_ASYNC = 1;
export const CSD_IRQ_WORK = 2;
export const CSD_TTWU = 3;
/** The function whose runs for others /proc/interrupts counts as TLB shootdowns. */
export const FUNC_FLUSH_TLB = 1;
/** Bits of a call frame's F_B. */
export const CALL_WAITS = 1;
export const CALL_ASYNC = 2;
export const CALL_LOCK_SHIFT = 8;
/** In MSG_QUEUE's c: the sender asks call_function_single_prep_ipi() first. */
export const QUEUE_PREP = 1;
/** The call is one of smp_call_function_many(). */
export const QUEUE_MANY = 2;
/** ... or smp_call_function_single_async(): its caller keeps a csd for each target. */
export const QUEUE_ASYNC = 4;
export const UNLOCK_DATA = 0; // the sender's csd_data
export const UNLOCK_STACK = 1;
export const UNLOCK_MANY = 2;
export const UNLOCK_ASYNC = 3;
export const QUEUE_LOCK_SHIFT = 8; // lock + 1 of the function

// Where a CPU's time goes.
export const CAT_IDLE = 0;
export const CAT_USER = 1;
export const CAT_SEND = 2;
export const CAT_WAIT = 3;
export const CAT_IRQ = 4;
export const CAT_IRQS_OFF = 5;

// Histograms.
export const HIST_SEND = 0;
export const HIST_SEND_TO_IRR = 1;
export const HIST_IRR_TO_HANDLER = 2;
export const HIST_DELIVERY = 3;
export const HIST_DELIVERY_INTENDED = 4;
export const HIST_HANDLER = 5;
export const HIST_CALL = 6;
export const HIST_CALL_INTENDED = 7;
export const HIST_CSD_WAIT = 8;
export const HIST_QUEUE_TO_FUNC = 9;
export const HIST_FUNC = 10;
export const HIST_COUNT = 11;

// Counters.
export const CT_OPS = 0;
export const CT_CALLS_SINGLE = 1;
export const CT_CALLS_MANY = 2;
export const CT_QUEUED = 3;
export const CT_SUPPRESSED = 4; // queue not empty
export const CT_POLLING = 5; // idle target polled
export const CT_IPIS = 6;
export const CT_FUNCS = 7;
export const CT_RESCHEDULES = 8;
export const CT_DROPPED = 9;
export const CT_DELAYED = 10;
export const CT_DUPLICATED = 11;
export const CT_EOIS_LOST = 12;
export const CT_EOIS_EXTRA = 13;
export const CT_CSD_REPORTS = 14;
export const CT_CSD_RESENT = 15;
export const CT_LOCK_WAITS = 16;
export const CT_DONE = 17;
export const CT_NMIS = 18;
export const CT_BUS_MESSAGES = 19;
export const CT_BUS_RETRIES = 20;
export const CT_BUS_CLOCKS = 21;
export const CT_WAKES = 22;
export const CT_COPY_LOST = 23;
export const CT_PANICS = 24;
export const CT_BUSY = 25;
export const CT_STOPPED = 26;
export const CT_REORDERED = 27;
export const CT_COUNT = 28;

// Faults.
export const FAULT_DROP = 0;
export const FAULT_DELAY = 1;
export const FAULT_DUPLICATE = 2;
export const FAULT_REORDER = 3;
export const FAULT_LOST_EOI = 4;
export const FAULT_EXTRA_EOI = 5;
export const FAULT_NO_COPY = 6;
// The host makes messages of these.
export const FAULT_IRQS_OFF = 7;
export const FAULT_DEAD = 8;

// The log.
export const LOG_OP = 0; // a what, b target
export const LOG_OP_DONE = 1;
export const LOG_SEND = 2; // ICR writes begin: a vector, b target
export const LOG_IPI_SENT = 3; // message leaves: a vector, b target
export const LOG_IRR = 4; // a vector, b source
export const LOG_MERGED = 5;
export const LOG_TAKE = 6; // a vector
export const LOG_HANDLER = 7;
export const LOG_EOI = 8;
export const LOG_HANDLER_DONE = 9;
export const LOG_QUEUE = 10; // a func, b target
export const LOG_IPI_NEEDED = 11; // b target
export const LOG_IPI_SUPPRESSED = 12;
export const LOG_IPI_POLLING = 13;
export const LOG_FUNC = 14; // a func, b source
export const LOG_FUNC_DONE = 15;
export const LOG_UNLOCK = 16; // b source
export const LOG_WAIT = 17; // b target
export const LOG_WAIT_DONE = 18;
export const LOG_FAULT = 19; // a kind, b source
export const LOG_CSD_STUCK = 20; // a report | func << 16, b target, c ps
export const LOG_CSD_STATE = 21; // a 0 unresponsive or func + 1, b target, c 1: this request
export const LOG_CSD_RESEND = 22;
export const LOG_CSD_UNSTUCK = 23; // a reports, b target, c ps
export const LOG_PANIC = 24;
export const LOG_IRQS_OFF = 25;
export const LOG_IRQS_ON = 26;
export const LOG_REJECTED = 27;
export const LOG_NMI = 28;
export const LOG_WOKEN = 29;
export const LOG_SEND_DONE = 30;
export const LOG_STOPPED = 32; // b who asked
export const LOG_FLUSH = 33; // the queue is taken

// Results of a slice.
export const RUN_MORE = 0;
export const RUN_DONE = 1;
export const RUN_LOG_FULL = 2;
export const RUN_NO_MEMORY = -2;
