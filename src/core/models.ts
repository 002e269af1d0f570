// Hardware models: the one table of where real local APICs differ. A model is a value for each flag;
// nothing else in ipistorm knows the name of a model.
import { freezeDeep } from './check.js';
import { C } from './memory.js';

export const MODEL_NAMES = Object.freeze([
  'sdm',
  'amd',
  'kvm',
  'qemu',
  'p6-class',
  'p6-vector',
  'kvm-split',
] as const);
/** How the hardware behaves: the SDM's text (default), AMD's, Linux's in-kernel APIC, QEMU's (TCG),
 * P6-family processors by either edition of the SDM, and Linux's in-kernel APIC with I/O APIC and 8259 in user space,
 * as QEMU sets it up (KVM_CAP_SPLIT_IRQCHIP; KVM_CAP_X2APIC_API with 32-bit ids and without the broadcast quirk). */
export type Model = (typeof MODEL_NAMES)[number];

export interface ModelFlag {
  /** Name in tables and JSON. */
  name: string;
  /** Index in the core (F_*). */
  index: number;
  /** What it decides. */
  question: string;
  /** Its values by name; none for a number. */
  values?: Record<string, { code: number; meaning: string }>;
  /** Where the rule and the differences are documented. */
  source: string;
  models: Record<Model, string | number>;
}

/** kvm-split is as kvm where it says nothing. */
type Row = [
  sdm: Cell,
  amd: Cell,
  kvm: Cell,
  qemu: Cell,
  p6Class: Cell,
  p6Vector: Cell,
  kvmSplit?: Cell,
];
const KVM = 2;
type Cell = string | number;

function flag(
  name: string,
  index: number,
  question: string,
  values: Record<string, [number, string]> | undefined,
  row: Row,
  source: string,
): ModelFlag {
  const models = Object.fromEntries(MODEL_NAMES.map((model, i) => [model, row[i] ?? row[KVM]]));
  return {
    name,
    index,
    question,
    source,
    models: models as Record<Model, Cell>,
    ...(values && {
      values: Object.fromEntries(
        Object.entries(values).map(([key, [code, meaning]]) => [key, { code, meaning }]),
      ),
    }),
  };
}

const YES_NO = { yes: [1, 'it does'], no: [0, 'it does not'] } as Record<string, [number, string]>;

export const MODEL_FLAGS: readonly ModelFlag[] = freezeDeep([
  flag(
    'version',
    C.F_VERSION,
    'Version register: version, highest LVT entry << 16, EOI-suppression bit 24',
    undefined,
    [0x0106_0015, 0x8005_0010, 0x0005_0014, 0x0005_0014, 0x0004_0011, 0x0004_0011, 0x0105_0014],
    'SDM 3A "Local APIC Version Register"; AMD APM 2 "APIC Version Register"; KVM kvm_apic_set_version(); QEMU apic_register_read()',
  ),
  flag(
    'x2apic',
    C.F_X2APIC,
    'Is there an x2APIC mode?',
    YES_NO,
    ['yes', 'yes', 'yes', 'yes', 'no', 'no'],
    'SDM 3A "Extended XAPIC (x2APIC)"',
  ),
  flag(
    'low_vectors',
    C.F_LOW_VECTORS,
    'A fixed or lowest-priority interrupt arrives with a vector below 16',
    {
      error: [C.LOW_ERROR, 'received illegal vector (ESR bit 6), no IRR bit'],
      pending: [C.LOW_PENDING, 'the IRR bit is set; class 0 never beats the PPR'],
      dispatched: [C.LOW_DISPATCHED, 'the IRR bit is set; 1-15 are dispatched while the PPR is 0'],
    },
    ['error', 'error', 'pending', 'dispatched', 'error', 'error'],
    'SDM 3A "Valid Interrupt Vectors"; KVM __apic_accept_irq(), apic_has_interrupt_for_ppr(); QEMU apic_set_irq(), apic_irq_pending()',
  ),
  flag(
    'send_illegal',
    C.F_SEND_ILLEGAL,
    'A fixed or lowest-priority IPI is sent with a vector below 16',
    { error: [1, 'send illegal vector (ESR bit 5); sent all the same'], silent: [0, 'just sent'] },
    ['error', 'error', 'silent', 'silent', 'error', 'error'],
    'SDM 3A "Error Handling"',
  ),
  flag(
    'esr',
    C.F_ESR,
    'Error Status Register',
    {
      latch: [C.ESR_LATCH, 'a write latches what has been collected; reads show the latch'],
      zero: [C.ESR_ZERO, 'always 0'],
      raw: [C.ESR_RAW, 'errors show at once, writes are ignored'],
    },
    ['latch', 'latch', 'zero', 'raw', 'latch', 'latch'],
    'SDM 3A "Error Handling"; KVM kvm_lapic_reg_write(); QEMU apic_register_read()',
  ),
  flag(
    'disabled_new',
    C.F_DISABLED_NEW,
    'A fixed interrupt arrives while SVR bit 8 is 0',
    {
      refuse: [C.NEW_REFUSED, 'refused'],
      accept: [C.NEW_ACCEPTED, 'the IRR bit is set'],
    },
    ['refuse', 'refuse', 'refuse', 'accept', 'refuse', 'refuse'],
    'SDM 3A "Local APIC State After It Has Been Software Disabled"; QEMU apic_set_irq()',
  ),
  flag(
    'disabled_pending',
    C.F_DISABLED_PENDING,
    'IRR bits that were set when SVR bit 8 became 0',
    {
      hold: [C.PENDING_HELD, 'held until the APIC is enabled again'],
      deliver: [C.PENDING_DELIVERED, 'still dispatched'],
    },
    ['hold', 'hold', 'deliver', 'hold', 'hold', 'hold'],
    'SDM 3A "Local APIC State After It Has Been Software Disabled"; KVM kvm_apic_has_interrupt()',
  ),
  flag(
    'disabled_masks',
    C.F_DISABLED_MASKS,
    'Software disable sets every LVT mask and keeps it set',
    { force: [C.MASKS_FORCED, 'it does'], leave: [C.MASKS_LEFT, 'LVTs stay as they are'] },
    ['force', 'force', 'force', 'leave', 'force', 'force'],
    'SDM 3A "Local APIC State After It Has Been Software Disabled"; QEMU apic_register_write()',
  ),
  flag(
    'lvt_bits',
    C.F_LVT_BITS,
    'LVT writes',
    {
      spec: [C.LVT_SPEC, 'only the defined bits of each entry'],
      status: [C.LVT_STATUS, 'the same, delivery status (12), and remote IRR (14) of LINT entries'],
      raw: [C.LVT_RAW, 'all 32 bits'],
    },
    ['spec', 'spec', 'status', 'raw', 'spec', 'spec'],
    'SDM 3A "Local Vector Table"; KVM apic_lvt_mask[]; QEMU apic_register_write()',
  ),
  flag(
    'lowest_priority',
    C.F_LOWEST_PRIORITY,
    'Who takes a lowest-priority message',
    {
      tpr: [C.LOWEST_TPR, 'lowest TPR class, then lowest CPU'],
      hash: [
        C.LOWEST_HASH,
        'set bit number (vector mod bits) of the destination mask; an empty place drops it',
      ],
      first: [C.LOWEST_FIRST, 'lowest CPU'],
      'apr-arb': [
        C.LOWEST_APR_ARB,
        'focus processor, then lowest APR, then highest arbitration id; needs a free slot',
      ],
      'apr-id': [C.LOWEST_APR_ID, 'focus processor, then lowest APR, then highest APIC id'],
    },
    ['tpr', 'apr-id', 'hash', 'first', 'apr-arb', 'apr-arb'],
    'SDM 3A "Lowest Priority Delivery Mode"; AMD APM 2 "Lowest Priority Messages and Arbitration"; KVM kvm_apic_map_get_dest_lapic(); QEMU apic_bus_deliver()',
  ),
  flag(
    'ipi_trigger',
    C.F_IPI_TRIGGER,
    'Trigger mode of an IPI',
    { edge: [C.TRIGGER_EDGE, 'always edge'], icr: [C.TRIGGER_ICR, 'ICR bit 15'] },
    ['edge', 'edge', 'icr', 'icr', 'icr', 'icr'],
    'SDM 3A "Interrupt Command Register (ICR)"; KVM kvm_icr_to_lapic_irq(); QEMU apic_deliver()',
  ),
  flag(
    'level_deassert',
    C.F_LEVEL_DEASSERT,
    'A fixed or lowest-priority IPI with ICR bit 15 (level) set and bit 14 (assert) clear',
    { ignored: [C.DEASSERT_IGNORED, 'delivered'], drops: [C.DEASSERT_DROPS, 'dropped'] },
    ['ignored', 'ignored', 'drops', 'ignored', 'drops', 'drops'],
    'SDM 3A "Interrupt Command Register (ICR)"; KVM __apic_accept_irq()',
  ),
  flag(
    'init_deassert',
    C.F_INIT_DEASSERT,
    'INIT with ICR bit 15 (level) set and bit 14 (assert) clear',
    {
      ignored: [C.INIT_DEASSERT_IGNORED, 'nothing happens'],
      'arb-id': [C.INIT_DEASSERT_ARB, 'arbitration ids are set to the APIC ids'],
    },
    ['ignored', 'ignored', 'ignored', 'arb-id', 'arb-id', 'arb-id'],
    'SDM 3A "Interrupt Command Register (ICR)"; QEMU apic_deliver()',
  ),
  flag(
    'logical_ones',
    C.F_LOGICAL_ONES,
    'xAPIC logical destination 0xFF',
    {
      everyone: [C.ONES_EVERYONE, 'every local APIC, whatever its LDR'],
      matching: [C.ONES_MATCHING, 'those whose LDR shares a bit'],
    },
    ['everyone', 'everyone', 'everyone', 'matching', 'everyone', 'everyone'],
    'SDM 3A "Logical Destination Mode"; QEMU apic_get_delivery_bitmask()',
  ),
  flag(
    'cluster_f',
    C.F_CLUSTER_F,
    'xAPIC cluster destination 0xF with some member bits',
    {
      plain: [C.CLUSTER_F_PLAIN, 'cluster 15'],
      wildcard: [C.CLUSTER_F_WILDCARD, 'these members of every cluster'],
    },
    ['plain', 'plain', 'plain', 'wildcard', 'plain', 'plain'],
    'SDM 3A "Logical Destination Mode"; QEMU apic_get_delivery_bitmask()',
  ),
  flag(
    'msr_checks',
    C.F_MSR_CHECKS,
    'What raises #GP in x2APIC mode, besides absent registers and writes to read-only ones',
    {
      strict: [C.MSR_STRICT, 'every reserved bit of every register; ICR bit 12 is ignored'],
      amd: [C.MSR_AMD, 'the same, and ICR bit 12'],
      kvm: [
        C.MSR_KVM,
        'bits 63:32 (not ICR), ICR 13, 16, 17 and 20-31, ESR not 0, SELF_IPI above 0xff',
      ],
      qemu: [C.MSR_QEMU, 'nothing; read-only registers ignore writes'],
    },
    ['strict', 'amd', 'kvm', 'qemu', 'strict', 'strict'],
    'SDM 3A "x2APIC Register Address Space", "Reserved Bit Checking"; KVM kvm_x2apic_msr_write(); QEMU apic_msr_write()',
  ),
  flag(
    'svr_bits',
    C.F_SVR_BITS,
    'Bits of the spurious-interrupt vector register that can be set',
    undefined,
    [0x11ff, 0x3ff, 0x3ff, 0x1ff, 0x3ff, 0x3ff, 0x13ff],
    'SDM 3A "Spurious Interrupt"; KVM kvm_lapic_reg_write(); QEMU apic_register_write()',
  ),
  flag(
    'svr_low',
    C.F_SVR_LOW,
    'Bits of the spurious vector that are hardwired to 1',
    undefined,
    [0, 0, 0, 0, 0xf, 0xf],
    'SDM 3A "Spurious Interrupt": P6 family and Pentium',
  ),
  flag(
    'id_bits',
    C.F_ID_BITS,
    'Bits of an xAPIC id; all ones is the physical broadcast',
    undefined,
    [8, 8, 8, 8, 4, 4],
    'SDM 3A "Local APIC ID", "Physical Destination Mode"',
  ),
  flag(
    'msi_broadcast',
    C.F_MSI_BROADCAST,
    'A message from outside with destination 0xFF reaches every x2APIC too',
    YES_NO,
    ['no', 'no', 'yes', 'no', 'no', 'no', 'no'],
    'KVM kvm_apic_mda(), the broadcast quirk; KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK',
  ),
  flag(
    'extint_ipi',
    C.F_EXTINT_IPI,
    'Delivery mode 7 in the ICR',
    {
      reserved: [C.EXTINT_RESERVED, 'reserved: nothing is delivered'],
      legal: [C.EXTINT_LEGAL, 'ExtINT at the target'],
      fixed: [C.EXTINT_FIXED, 'as fixed'],
    },
    ['reserved', 'legal', 'reserved', 'fixed', 'legal', 'legal'],
    'SDM 3A "Interrupt Command Register (ICR)"; AMD APM 2 "Interrupt Command Register"; QEMU apic_bus_deliver()',
  ),
  flag(
    'sipi',
    C.F_SIPI,
    'A SIPI that finds the CPU not waiting for one',
    {
      'if-waiting': [C.SIPI_IF_WAITING, 'dropped at once, unless an INIT is pending before it'],
      latched: [C.SIPI_LATCHED, 'kept until the CPU looks, then dropped'],
      'cleared-by-init': [C.SIPI_CLEARED_BY_INIT, 'kept until the CPU looks or an INIT arrives'],
    },
    ['if-waiting', 'if-waiting', 'cleared-by-init', 'latched', 'if-waiting', 'if-waiting'],
    'SDM 3A "MP Initialization Protocol Algorithm"; KVM __apic_accept_irq(), kvm_apic_accept_events(); QEMU apic_startup(), apic_sipi()',
  ),
  flag(
    'spurious',
    C.F_SPURIOUS,
    'The CPU acknowledges while everything pending is masked by the PPR',
    {
      returned: [1, 'it gets the spurious vector; ISR is untouched'],
      never: [0, 'it gets nothing'],
    },
    ['returned', 'returned', 'never', 'returned', 'returned', 'returned'],
    'SDM 3A "Spurious Interrupt"; QEMU apic_get_interrupt()',
  ),
  flag(
    'apr',
    C.F_APR,
    'Arbitration Priority Register',
    { computed: [1, 'from TPR, ISRV and IRRV'], zero: [0, 'reads 0'] },
    ['zero', 'computed', 'zero', 'zero', 'computed', 'computed'],
    'SDM 3A "Arbitration Priority Register": Pentium and P6 family; AMD APM 2 "Arbitration Priority Register"',
  ),
  flag(
    'lint_level',
    C.F_LINT_LEVEL,
    'A LINT pin with a fixed, level-triggered LVT',
    {
      'remote-irr': [
        C.LINT_REMOTE_IRR,
        'remote IRR, set on acceptance, cleared by EOI, asserted again if still high',
      ],
      edge: [C.LINT_EDGE, 'each rise is one interrupt, TMR set'],
      'clears-irr': [
        C.LINT_CLEARS_IRR,
        'each rise is one interrupt, TMR set; a fall clears the IRR bit',
      ],
    },
    ['remote-irr', 'remote-irr', 'edge', 'clears-irr', 'remote-irr', 'remote-irr'],
    'SDM 3A "Local Vector Table"; KVM kvm_apic_local_deliver(); QEMU apic_deliver_pic_intr()',
  ),
  flag(
    'timer_deadline',
    C.F_TIMER_DEADLINE,
    'TSC-deadline mode of the timer',
    YES_NO,
    ['yes', 'no', 'yes', 'no', 'no', 'no'],
    'SDM 3A "TSC-Deadline Mode"',
  ),
  flag(
    'slots',
    C.F_SLOTS,
    'How many interrupts a local APIC holds; beyond that it rejects and the sender retries',
    {
      none: [C.SLOTS_NONE, 'one in IRR and one in ISR for each vector; more merge'],
      class: [C.SLOTS_CLASS, 'two in each priority class'],
      vector: [C.SLOTS_VECTOR, 'two for each vector'],
    },
    ['none', 'none', 'none', 'none', 'class', 'vector'],
    'SDM 3A "Interrupt Acceptance for Fixed Interrupts": two per class in the 2009 edition, two per vector in the 2016 one',
  ),
  flag(
    'reset_lint0',
    C.F_RESET_LINT0,
    'LVT LINT0 of the boot processor after reset',
    undefined,
    [0x10000, 0x10000, 0x700, 0x10000, 0x10000, 0x10000],
    'SDM 3A "Local APIC State After Power-Up or Reset"; KVM kvm_lapic_reset(), the LINT0 quirk',
  ),
  flag(
    'hw_disable',
    C.F_HW_DISABLE,
    'IA32_APIC_BASE bit 11 goes from 0 to 1',
    {
      resets: [C.HW_RESETS, 'the APIC comes back in its reset state'],
      keeps: [C.HW_KEEPS, 'registers are as before'],
    },
    ['resets', 'resets', 'keeps', 'keeps', 'resets', 'resets'],
    'SDM 3A "Enabling or Disabling the Local APIC"; KVM __kvm_apic_set_base(); QEMU apic_set_base()',
  ),
  flag(
    'extended',
    C.F_EXTENDED,
    'AMD extended space: specific EOI, interrupt enable registers',
    YES_NO,
    ['no', 'yes', 'no', 'no', 'no', 'no'],
    'AMD APM 2 "Extended Local Vector Table", "Specific End of Interrupt Register"',
  ),
  flag(
    'storm_brake',
    C.F_STORM_BRAKE,
    'This many EOIs in a row find an I/O APIC level pin high: it is served again 10 ms later (0: always at once)',
    undefined,
    [0, 0, 10000, 10000, 0, 0],
    'KVM __kvm_ioapic_update_eoi(); QEMU ioapic_eoi_broadcast()',
  ),
  flag(
    'shorthands',
    C.F_SHORTHANDS,
    'Delivery modes with a shorthand',
    {
      legal: [
        C.SHORTHANDS_LEGAL,
        'self and all-including-self: fixed; all-excluding-self: not ExtINT',
      ],
      all: [C.SHORTHANDS_ALL, 'every combination is obeyed'],
    },
    ['legal', 'legal', 'all', 'all', 'legal', 'legal'],
    'SDM 3A "Interrupt Command Register (ICR)", valid combinations; KVM kvm_apic_send_ipi(); QEMU apic_deliver()',
  ),
  flag(
    'x2apic_lowest',
    C.F_X2APIC_LOWEST,
    'Lowest priority in the ICR of x2APIC mode',
    {
      reserved: [0, 'redirectable IPI (ESR bit 4), not sent'],
      delivered: [1, 'delivered'],
    },
    ['reserved', 'delivered', 'delivered', 'delivered', 'delivered', 'delivered'],
    'SDM 3A "ICR Operation in x2APIC Mode", "Error Handling"',
  ),
  flag(
    'icr2_bits',
    C.F_ICR2_BITS,
    'Bits of ICR2 that a write keeps',
    undefined,
    [0xff00_0000, 0xff00_0000, 0xff00_0000, 0xffff_ffff, 0xff00_0000, 0xff00_0000],
    'SDM 3A "Interrupt Command Register (ICR)"; KVM kvm_lapic_reg_write(); QEMU apic_register_write()',
  ),
  flag(
    'icr_readback',
    C.F_ICR_READBACK,
    'What a read of the ICR shows of what was written',
    {
      fields: [C.READBACK_FIELDS, 'the fields of a command'],
      written: [C.READBACK_WRITTEN, 'every bit but delivery status'],
      raw: [C.READBACK_RAW, 'every bit'],
    },
    ['fields', 'fields', 'written', 'raw', 'fields', 'fields'],
    'SDM 3A "Interrupt Command Register (ICR)"; KVM kvm_apic_send_ipi(); QEMU apic_register_write()',
  ),
  flag(
    'register_set',
    C.F_REGISTER_SET,
    'Which registers there are to read and to write',
    {
      sdm: [C.REGISTERS_SDM, 'those of the address map, each as readable and writable as it says'],
      qemu: [
        C.REGISTERS_QEMU,
        'those that apic_register_read() knows, in either mode; others are illegal',
      ],
    },
    ['sdm', 'sdm', 'sdm', 'qemu', 'sdm', 'sdm'],
    'SDM 3A "Local APIC Register Address Map", "x2APIC Register Address Space"; QEMU apic_register_read(), apic_msr_read()',
  ),
  flag(
    'id_on_enable',
    C.F_ID_ON_ENABLE,
    'When does a write of IA32_APIC_BASE bring the initial xAPIC id back?',
    {
      kept: [C.ID_KEPT, 'never'],
      enable: [C.ID_ON_ENABLE, 'when it enables the APIC'],
      write: [C.ID_ON_WRITE, 'with every write that sets no reserved bit, refused or not'],
    },
    ['enable', 'enable', 'enable', 'write', 'enable', 'enable'],
    'SDM 3A "Enabling or Disabling the Local APIC"; KVM __kvm_apic_set_base(); QEMU cpu_set_apic_base()',
  ),
  flag(
    'sw_off_with_hw',
    C.F_SW_OFF_WITH_HW,
    'Does clearing the enable bit of IA32_APIC_BASE clear SVR bit 8?',
    YES_NO,
    ['no', 'no', 'no', 'yes', 'no', 'no'],
    'QEMU apic_set_base()',
  ),
  flag(
    'icr_halves',
    C.F_ICR_HALVES,
    "The upper half of x2APIC's ICR and xAPIC's ICR2",
    {
      one: [C.HALVES_ONE, 'one register'],
      two: [C.HALVES_TWO, 'two registers, each kept over a change of mode'],
    },
    ['one', 'one', 'two', 'one', 'one', 'one'],
    'SDM 3A "x2APIC State Transitions"; KVM kvm_x2apic_icr_write(), kvm_lapic_reg_write()',
  ),
  flag(
    'x2apic_ldr',
    C.F_X2APIC_LDR,
    'LDR when x2APIC mode is left',
    { cleared: [C.LDR_CLEARED, '0'], kept: [C.LDR_KEPT, 'as it was'] },
    ['cleared', 'cleared', 'kept', 'cleared', 'cleared', 'cleared'],
    'SDM 3A "x2APIC State Transitions"; KVM __kvm_apic_set_base()',
  ),
  flag(
    'remote_read',
    C.F_REMOTE_READ,
    'Does a message of delivery mode 3 (remote read) count as taken?',
    YES_NO,
    ['no', 'no', 'yes', 'no', 'no', 'no'],
    'KVM __apic_accept_irq()',
  ),
  flag(
    'extint_outside',
    C.F_EXTINT_OUTSIDE,
    'Does an ExtINT message from outside reach the CPU?',
    YES_NO,
    ['yes', 'yes', 'no', 'yes', 'yes', 'yes'],
    'SDM 3A "Local Vector Table"; KVM __apic_accept_irq(), whose 8259 has its own way',
  ),
  flag(
    'msi_hint',
    C.F_MSI_HINT,
    'Is the redirection hint of an MSI address looked at?',
    YES_NO,
    ['yes', 'yes', 'yes', 'no', 'yes', 'yes'],
    'SDM 3A "Message Address Register Format"; KVM kvm_msi_to_lapic_irq(); QEMU apic_send_msi()',
  ),
  flag(
    'nmi_limit',
    C.F_NMI_LIMIT,
    'NMIs that wait for the CPU while nothing blocks them (while something does: one)',
    undefined,
    [1, 1, 2, 1, 1, 1],
    'SDM 3A "Handling Multiple NMIs"; KVM process_nmi()',
  ),
  flag(
    'base_bits',
    C.F_BASE_BITS,
    'Bits of the address in IA32_APIC_BASE; those above, 7:0 and 9 raise #GP',
    undefined,
    [36, 36, 36, 32, 36, 36],
    'SDM 3A "Local APIC Status and Location": MAXPHYADDR; KVM kvm_apic_set_base(); QEMU helper_wrmsr(), MSR_IA32_APICBASE_RESERVED',
  ),
  flag(
    'ioapic_bits',
    C.F_IOAPIC_BITS,
    'What a write of a redirection entry keeps',
    {
      spec: [C.IOAPIC_SPEC, 'the defined bits: 16, 15, 13-0 and 63-56'],
      raw: [C.IOAPIC_RAW, 'every bit but delivery status and remote IRR'],
    },
    ['spec', 'spec', 'raw', 'raw', 'spec', 'spec'],
    '82093AA "I/O Redirection Table Registers"; ICH: bits 55:48 are read-only; KVM ioapic_write_indirect(); QEMU ioapic_mem_write()',
  ),
  flag(
    'remote_irr',
    C.F_REMOTE_IRR,
    'When a level entry sets its remote IRR',
    {
      taken: [C.REMOTE_IRR_TAKEN, 'a local APIC took the message'],
      'not-refused': [
        C.REMOTE_IRR_NOT_REFUSED,
        'the same, or a search of all found nobody addressed',
      ],
      sent: [C.REMOTE_IRR_SENT, 'the message was sent; an EOI concerns only entries that have it'],
    },
    ['taken', 'taken', 'not-refused', 'sent', 'taken', 'taken', 'sent'],
    '82093AA "I/O Redirection Table Registers"; KVM ioapic_service(); QEMU ioapic_service(), ioapic_eoi_broadcast()',
  ),
  flag(
    'brake_reset',
    C.F_BRAKE_RESET,
    'What sets the count of the I/O APIC storm brake back, beside its own action',
    {
      eoi: [C.BRAKE_ON_EOI, 'an EOI that finds the pin low or masked'],
      write: [C.BRAKE_ON_WRITE, 'the same, and a write of the entry'],
    },
    ['eoi', 'eoi', 'eoi', 'write', 'eoi', 'eoi', 'write'],
    'KVM __kvm_ioapic_update_eoi(); QEMU ioapic_eoi_broadcast(), ioapic_mem_write()',
  ),
  flag(
    'eoi_suppression',
    C.F_EOI_SUPPRESSION,
    'SVR bit 12 (suppress EOI broadcast), where the version register says that there is one',
    { honoured: [1, 'no broadcast'], ignored: [0, 'broadcast all the same'] },
    ['honoured', 'honoured', 'honoured', 'honoured', 'honoured', 'honoured', 'ignored'],
    'SDM 3A "EOI-Broadcast Suppression"; KVM kvm_apic_set_version(), kvm_ioapic_send_eoi(): an exit for each EOI with a split irqchip',
  ),
  flag(
    'broadcast_dest',
    C.F_BROADCAST_DEST,
    'Which destinations KVM takes as broadcasts before it asks its map of ids',
    {
      sender: [
        C.BROADCAST_BY_SENDER,
        'all ones of the mode that the sender is in; 0xFF from outside',
      ],
      map: [C.BROADCAST_BY_MAP, '0xFFFFFFFF, and 0xFF unless all are in x2APIC mode'],
    },
    ['sender', 'sender', 'sender', 'sender', 'sender', 'sender', 'map'],
    'KVM kvm_apic_is_broadcast_dest(); KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK',
  ),
  flag(
    'bsp_flag',
    C.F_BSP_FLAG,
    'WRMSR of IA32_APIC_BASE with another bit 8 (BSP)',
    { kept: [0, 'the flag stays'], written: [1, 'the flag is what was written'] },
    ['kept', 'kept', 'written', 'kept', 'kept', 'kept'],
    'SDM 3A "Local APIC Status and Location"; KVM __kvm_apic_set_base(); QEMU apic_set_base()',
  ),
  flag(
    'ioapic_polarity',
    C.F_IOAPIC_POLARITY,
    'Bit 13 (polarity) of a redirection entry',
    {
      honoured: [1, 'a pin with bit 13 set is active while it is low'],
      ignored: [0, 'a pin is active while it is high: lines carry what is asserted'],
    },
    ['honoured', 'honoured', 'ignored', 'ignored', 'honoured', 'honoured'],
    '82093AA "I/O Redirection Table Registers"; KVM ioapic_set_irq(); QEMU ioapic_set_irq()',
  ),
  flag(
    'ioapic_absent',
    C.F_IOAPIC_ABSENT,
    'What a read of an I/O APIC register shows that there is not',
    { zeros: [0, '0'], ones: [1, '0xFFFFFFFF'] },
    ['zeros', 'zeros', 'ones', 'zeros', 'zeros', 'zeros', 'zeros'],
    '82093AA: reserved; KVM ioapic_read_indirect(); QEMU ioapic_mem_read()',
  ),
  flag(
    'narrow_reads',
    C.F_NARROW_READS,
    'A read of one or two bytes of the xAPIC page',
    { zero: [0, 'reads 0'], bytes: [1, "bytes of a register's first four"] },
    ['zero', 'zero', 'bytes', 'zero', 'zero', 'zero'],
    'SDM 3A "Local APIC Register Address Map": 32-bit accesses; KVM kvm_lapic_reg_read(); QEMU apic_mem_read()',
  ),
  flag(
    'perf_masks',
    C.F_PERF_MASKS,
    "Does a performance-counter interrupt set its LVT entry's mask?",
    YES_NO,
    ['yes', 'no', 'yes', 'no', 'yes', 'yes'],
    'SDM 3A "Local Vector Table"; KVM kvm_apic_local_deliver(), which asks whether the CPU is AMD\'s; QEMU apic_local_deliver()',
  ),
]);

const VERSION_SUPPRESSION = 0x100_0000;
const SVR_SUPPRESSION = 0x1000;

/** Values of one model by flag index, as the core takes them. A CPU may lack x2APIC mode where the model has it. */
export function modelWords(model: Model, x2apic?: boolean): Uint32Array {
  const words = new Uint32Array(C.FLAG_COUNT);
  for (const { index, values, models } of MODEL_FLAGS) {
    const value = models[model];
    words[index] = typeof value === 'number' ? value : values![value]!.code;
  }
  if (x2apic !== false) return words;
  words[C.F_X2APIC] = 0;
  // KVM kvm_apic_set_version(): suppression of EOI broadcasts is offered to guests with x2APIC.
  if (model === 'kvm-split') {
    words[C.F_VERSION]! &= ~VERSION_SUPPRESSION;
    words[C.F_SVR_BITS]! &= ~SVR_SUPPRESSION;
  }
  return words;
}

/** Only processors that reject what finds no slot send over the serial APIC bus, which repeats it. */
export function hasSerialBus(model: Model): boolean {
  return modelWords(model)[C.F_SLOTS] !== C.SLOTS_NONE;
}
