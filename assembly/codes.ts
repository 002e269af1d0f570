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

// ICR fields. SDM 3A "Interrupt Command Register (ICR)".
export const ICR_VECTOR = 0xff;
export const ICR_DELIVERY = 0x700;
export const ICR_NMI = 0x400;
export const ICR_LOGICAL = 0x800;
export const ICR_SHORTHAND = 0xc0000;
export const ICR_SELF = 0x40000;
export const ICR_ALL_INC = 0x80000;
export const ICR_ALL_EXC = 0xc0000;
export const BROADCAST_XAPIC = 0xff;
export const BROADCAST_X2APIC = -1;

// Linux vectors. Linux 6.12 arch/x86/include/asm/irq_vectors.h (same values in 4.0).
export const VECTOR_NMI = 0x02;
export const VECTOR_IRQ_WORK = 0xf6;
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
export const UNSUPPORTED = -3;
export const NO_MEMORY = -4;

// What audit() found wrong.
export const AUDIT_BALANCE = 1;
export const AUDIT_IRR_SUMMARY = 2;
export const AUDIT_ISR_SUMMARY = 3;
export const AUDIT_TMR_SUMMARY = 4;
export const AUDIT_WAKE_LIST = 5;
export const AUDIT_LOW_VECTOR = 6;
export const AUDIT_STORM_STATE = 7;
