// Codes that the core and the host exchange. Read by asc and by tsc: only
// `export const NAME = integer expression`, no types, no decorators.

// APIC modes of a whole machine.
export const MODE_XAPIC_FLAT = 0;
export const MODE_XAPIC_CLUSTER = 1;
export const MODE_XAPIC_PHYSICAL = 2;
export const MODE_X2APIC_PHYSICAL = 3;
export const MODE_X2APIC_CLUSTER = 4;

// Linux eras.
export const ERA_4_0 = 0;
export const ERA_4_0_SEND_IPI = 1;
export const ERA_6_12 = 2;

// Linux APIC drivers.
export const DRIVER_FLAT = 0;
export const DRIVER_PHYSFLAT = 1;
export const DRIVER_X2APIC_PHYS = 2;
export const DRIVER_X2APIC_CLUSTER = 3;
export const DRIVER_DEFAULT_32 = 4;
export const DRIVER_KVM_PV = 5;
export const DRIVER_HYPERV = 6;

// Operations of struct apic, then the callers above them.
export const OP_SEND_IPI = 0;
export const OP_MASK = 1;
export const OP_MASK_ALLBUTSELF = 2;
export const OP_ALLBUTSELF = 3;
export const OP_ALL = 4;
export const OP_SELF = 5;
export const OP_RESCHEDULE = 6;
export const OP_CALL_SINGLE = 7;
export const OP_CALL_MANY = 8;
export const OP_IRQ_WORK = 9;

// Configuration flags.
export const FLAG_NO_IPI_BROADCAST = 1;
export const FLAG_NO_HOTPLUG_CPU = 2;
export const FLAG_NO_FENCE = 4;
export const FLAG_COUNT_VECTORS = 8;
export const FLAG_EARLY_ISR = 16;

// ICR fields. SDM 3A "Interrupt Command Register (ICR)".
export const ICR_VECTOR = 0xff;
export const ICR_DELIVERY = 0x700;
export const ICR_NMI = 0x400;
export const ICR_LOGICAL = 0x800;
export const ICR_SHORTHAND = 0xc0000;
export const ICR_ASSERT = 0x4000;
export const ICR_LEVEL = 0x8000;
export const ICR_SELF = 0x40000;
export const ICR_ALL_INC = 0x80000;
export const ICR_ALL_EXC = 0xc0000;
/** All of them: what a command is; other bits of the register mean nothing to it. */
export const ICR_FIELDS =
  ICR_VECTOR + ICR_DELIVERY + ICR_LOGICAL + ICR_ASSERT + ICR_LEVEL + ICR_SHORTHAND;
/** Delivery status: the command is on its way. */
export const ICR_BUSY = 0x1000;
export const BROADCAST_XAPIC = 0xff;
export const BROADCAST_X2APIC = -1;

// Linux vectors. Linux 6.12 arch/x86/include/asm/irq_vectors.h (same values in 4.0).
export const VECTOR_NMI = 0x02;
export const VECTOR_IRQ_WORK = 0xf6;
export const VECTOR_REBOOT = 0xf8;
export const VECTOR_CALL_FUNCTION_SINGLE = 0xfb;
export const VECTOR_CALL_FUNCTION = 0xfc;
export const VECTOR_RESCHEDULE = 0xfd;

// What one entry of the write log is.
export const LOG_ICR = 0;
export const LOG_SELF_IPI = 1;
export const LOG_KVM_HYPERCALL = 2;
export const LOG_HYPERV_IPI = 3;
export const LOG_HYPERV_IPI_EX = 4;
export const LOG_SHORTHAND_XAPIC = 5;
export const LOG_ICR_XAPIC = 6;

// Storm patterns, and the way each send takes.
export const PATTERN_SELF = 0;
export const PATTERN_PAIRS = 1;
export const PATTERN_RING = 2;
export const PATTERN_RANDOM = 3;
export const PATTERN_HOT = 4;
export const PATTERN_MASK_CONTIGUOUS = 5;
export const PATTERN_MASK_STRIDED = 6;
export const PATTERN_MASK_RANDOM = 7;
export const PATTERN_ALLBUTSELF = 8;

export const VIA_ICR = 0;
export const VIA_SINGLE = 1;
export const VIA_MASK = 2;
export const VIA_SHORTHAND = 3;
export const VIA_CALL = 4;

// Kinds in the event hash.
export const EVENT_ACCEPT = 1;
export const EVENT_COALESCE = 2;
export const EVENT_REJECT = 3;
export const EVENT_DISPATCH = 4;
export const EVENT_EOI = 5;
export const EVENT_STRAY_EOI = 6;
export const EVENT_NMI = 7;

// Results below zero of exported functions.
export const NONE = -1;
export const BAD_ARGUMENT = -2;
export const NO_MEMORY = -4;

// What audit() found wrong.
export const AUDIT_BALANCE = 1;
export const AUDIT_IRR_SUMMARY = 2;
export const AUDIT_ISR_SUMMARY = 3;
export const AUDIT_TMR_SUMMARY = 4;
export const AUDIT_WAKE_LIST = 5;
export const AUDIT_LOW_VECTOR = 6;
export const AUDIT_STORM_STATE = 7;
export const AUDIT_REGISTERS = 8;
export const AUDIT_DEVICES = 9;

// Flags of a hardware model, as indices of u32 words from H_MODEL on. What each value means, which
// model has it and why: src/core/models.ts, the one table.
export const F_VERSION = 0;
export const F_X2APIC = 1;
export const F_LOW_VECTORS = 2;
export const F_SEND_ILLEGAL = 3;
export const F_ESR = 4;
export const F_DISABLED_NEW = 5;
export const F_DISABLED_PENDING = 6;
export const F_DISABLED_MASKS = 7;
export const F_LVT_BITS = 8;
export const F_LOWEST_PRIORITY = 9;
export const F_IPI_TRIGGER = 10;
export const F_LEVEL_DEASSERT = 11;
export const F_INIT_DEASSERT = 12;
export const F_LOGICAL_ONES = 13;
export const F_CLUSTER_F = 14;
export const F_MSR_CHECKS = 15;
export const F_SVR_BITS = 16;
export const F_SVR_LOW = 17;
export const F_ID_BITS = 18;
export const F_MSI_BROADCAST = 19;
export const F_EXTINT_IPI = 20;
export const F_SIPI = 21;
export const F_SPURIOUS = 22;
export const F_APR = 23;
export const F_LINT_LEVEL = 24;
export const F_TIMER_DEADLINE = 25;
export const F_SLOTS = 26;
export const F_RESET_LINT0 = 27;
export const F_HW_DISABLE = 28;
export const F_EXTENDED = 29;
export const F_STORM_BRAKE = 30;
export const F_SHORTHANDS = 31;
export const F_X2APIC_LOWEST = 32;
export const F_ICR2_BITS = 33;
export const F_ICR_READBACK = 34;
export const F_REGISTER_SET = 35;
export const F_ID_ON_ENABLE = 36;
export const F_SW_OFF_WITH_HW = 37;
export const F_ICR_HALVES = 38;
export const F_X2APIC_LDR = 39;
export const F_REMOTE_READ = 40;
export const F_EXTINT_OUTSIDE = 41;
export const F_MSI_HINT = 42;
/** NMIs that a CPU holds while nothing blocks them. */
export const F_NMI_LIMIT = 43;
/** Bits of the address in IA32_APIC_BASE. */
export const F_BASE_BITS = 44;
export const F_IOAPIC_BITS = 45;
export const F_BRAKE_RESET = 46;
export const F_EOI_SUPPRESSION = 47;
export const F_BROADCAST_DEST = 48;
export const F_REMOTE_IRR = 49;
export const F_IOAPIC_POLARITY = 50;
export const F_PERF_MASKS = 51;
export const F_IOAPIC_ABSENT = 52;
/** Read by the host: what reads of one and two bytes see. */
export const F_NARROW_READS = 53;
export const F_BSP_FLAG = 54;
export const FLAG_COUNT = 55;

export const LOW_ERROR = 0;
export const LOW_PENDING = 1;
export const LOW_DISPATCHED = 2;
export const ESR_LATCH = 0;
export const ESR_ZERO = 1;
export const ESR_RAW = 2;
export const NEW_REFUSED = 0;
export const NEW_ACCEPTED = 1;
export const PENDING_HELD = 0;
export const PENDING_DELIVERED = 1;
export const MASKS_FORCED = 0;
export const MASKS_LEFT = 1;
export const LVT_SPEC = 0;
export const LVT_RAW = 1;
export const LVT_STATUS = 2;
export const LOWEST_TPR = 0;
export const LOWEST_HASH = 1;
export const LOWEST_FIRST = 2;
export const LOWEST_APR_ARB = 3;
export const LOWEST_APR_ID = 4;
export const TRIGGER_EDGE = 0;
export const TRIGGER_ICR = 1;
export const DEASSERT_IGNORED = 0;
export const DEASSERT_DROPS = 1;
export const INIT_DEASSERT_IGNORED = 0;
export const INIT_DEASSERT_ARB = 1;
export const ONES_EVERYONE = 0;
export const ONES_MATCHING = 1;
export const CLUSTER_F_PLAIN = 0;
export const CLUSTER_F_WILDCARD = 1;
export const MSR_STRICT = 0;
export const MSR_AMD = 1;
export const MSR_KVM = 2;
export const MSR_QEMU = 3;
export const EXTINT_RESERVED = 0;
export const EXTINT_LEGAL = 1;
export const EXTINT_FIXED = 2;
export const SIPI_IF_WAITING = 0;
export const SIPI_LATCHED = 1;
export const SIPI_CLEARED_BY_INIT = 2;
export const LINT_REMOTE_IRR = 0;
export const LINT_EDGE = 1;
export const LINT_CLEARS_IRR = 2;
export const SLOTS_NONE = 0;
export const SLOTS_CLASS = 1;
export const SLOTS_VECTOR = 2;
export const HW_RESETS = 0;
export const HW_KEEPS = 1;
export const READBACK_FIELDS = 0;
export const READBACK_WRITTEN = 1;
export const READBACK_RAW = 2;
export const REGISTERS_SDM = 0;
export const REGISTERS_QEMU = 1;
export const REMOTE_IRR_TAKEN = 0;
export const REMOTE_IRR_NOT_REFUSED = 1;
export const REMOTE_IRR_SENT = 2;
export const BROADCAST_BY_SENDER = 0;
export const BROADCAST_BY_MAP = 1;
export const ID_KEPT = 0;
export const ID_ON_ENABLE = 1;
export const ID_ON_WRITE = 2;
export const IOAPIC_SPEC = 0;
export const IOAPIC_RAW = 1;
export const BRAKE_ON_EOI = 0;
export const BRAKE_ON_WRITE = 1;
export const HALVES_ONE = 0;
export const HALVES_TWO = 1;
export const LDR_CLEARED = 0;
export const LDR_KEPT = 1;
export const SHORTHANDS_LEGAL = 0;
export const SHORTHANDS_ALL = 1;

// ICR and message delivery modes.
export const DELIVERY_FIXED = 0;
export const DELIVERY_LOWEST = 1;
export const DELIVERY_SMI = 2;
export const DELIVERY_NMI = 4;
export const DELIVERY_INIT = 5;
export const DELIVERY_SIPI = 6;
export const DELIVERY_EXTINT = 7;

// LVT entries, in the order of C_LVT.
export const LVT_TIMER = 0;
export const LVT_THERMAL = 1;
export const LVT_PERF = 2;
export const LVT_LINT0 = 3;
export const LVT_LINT1 = 4;
export const LVT_ERROR = 5;
export const LVT_CMCI = 6;

// ESR bits. SDM 3A "Error Handling".
export const ESR_SEND_ACCEPT = 0x04;
export const ESR_RECEIVE_ACCEPT = 0x08;
export const ESR_REDIRECTABLE = 0x10;
export const ESR_SEND_ILLEGAL = 0x20;
export const ESR_RECEIVE_ILLEGAL = 0x40;
export const ESR_ILLEGAL_REGISTER = 0x80;

// Kinds of effects, and of running handlers.
export const EFFECT_SET = 1;
export const EFFECT_EOI = 2;
export const EFFECT_NMI = 3;
export const EFFECT_SMI = 4;
export const EFFECT_INIT = 5;
export const EFFECT_SIPI = 6;
export const EFFECT_EXTINT = 7;

export const HANDLER_VECTOR = 1;
export const HANDLER_SPURIOUS = 2;
export const HANDLER_EXTINT = 3;
export const HANDLER_NMI = 4;
export const HANDLER_SMI = 5;
export const TAKEN_INIT = 6;
export const TAKEN_SIPI = 7;

/** Access to a register refused with #GP. */
export const GP = -5;
/** An interrupt could be taken, but as many handlers are open as there is room for. */
export const HANDLERS_FULL = -6;
/** A level pin comes back with every EOI, without end. */
export const ENDLESS = -7;

// How a machine starts.
export const START_RESET = 0;
export const START_ENABLED = 1;
