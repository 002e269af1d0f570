// INIT, SIPI and NMI as a state machine.
import {
  apics,
  flat,
  INIT,
  ipi,
  iret,
  machine,
  message,
  NMI,
  physical,
  SIPI,
  SMI,
  sdm,
  setIf,
  shadow,
  take,
  topic,
} from './helpers.mjs';

const PROTOCOL = sdm('MP Initialization Protocol Algorithm');
const init = message(1, 0, { delivery: INIT });
const sipi = (vector) => message(1, vector, { delivery: SIPI });
const nmi = message(0, 0, { delivery: NMI });

export default topic(
  'startup',
  'INIT, SIPI, NMI, SMI: latches and the waiting processor',
  (add) => {
    add('init-sipi', 'INIT makes a processor wait; a SIPI starts it at its vector.', {
      source: PROTOCOL,
      config: physical(2),
      when: [
        [init, 1],
        [take(1), 'init'],
        [sipi(0x9a), 1],
        [take(1), 'sipi 154'],
      ],
      state: apics({}, { waiting: false, sipi: -1 }),
    });
    add('boot-waits', 'After power-on every processor but the first waits for a SIPI.', {
      source: PROTOCOL,
      config: machine('reset', 3),
      when: [[take(1), 'none']],
      state: apics({ waiting: false }, { waiting: true }, { waiting: true }),
    });
    add(
      'sipi-not-waiting',
      'A SIPI for a processor that does not wait is dropped; KVM and QEMU keep it until the CPU looks.',
      {
        source: PROTOCOL,
        config: physical(2),
        when: [[sipi(0x10), 1]],
        state: apics({}, { sipi: -1 }),
        models: { kvm: apics({}, { sipi: 0x10 }), qemu: apics({}, { sipi: 0x10 }) },
      },
    );
    add('second-sipi', 'The second SIPI of the protocol finds nobody waiting.', {
      source: PROTOCOL,
      config: physical(2),
      given: [init, take(1), sipi(0x10), take(1)],
      when: [
        [sipi(0x10), 1],
        [take(1), 'none'],
      ],
      state: apics({}, { waiting: false, sipi: -1 }),
    });
    add('last-sipi-wins', 'Of two SIPIs before the processor looks the last one counts.', {
      source: PROTOCOL,
      config: physical(2),
      given: [init, take(1)],
      when: [
        [sipi(0x10), 1],
        [sipi(0x20), 1],
        [take(1), 'sipi 32'],
      ],
    });
    add(
      'init-then-sipi',
      'A SIPI that arrives before the INIT was taken starts the processor after it.',
      {
        source: PROTOCOL,
        config: physical(2),
        when: [
          [init, 1],
          [sipi(0x10), 1],
          [take(1), 'init'],
          [take(1), 'sipi 16'],
        ],
      },
    );
    add(
      'init-overwrites-sipi',
      'An INIT after a pending SIPI: KVM forgets the SIPI, others do not.',
      {
        source: `${PROTOCOL}; KVM __apic_accept_irq()`,
        config: physical(2),
        given: [init, take(1), sipi(0x10)],
        when: [
          [init, 1],
          [take(1), 'init'],
          [take(1), 'sipi 16', { kvm: 'none' }],
        ],
      },
    );
    add('init-clears', 'INIT clears vectors and latches of the local APIC.', {
      source: sdm('Local APIC State After an INIT Reset'),
      config: physical(2),
      given: [message(1, 0x31), message(1, 0x41), message(1, 0, { delivery: NMI }), init],
      when: [[take(1), 'init']],
      state: apics({}, { irr: [], nmi: false, svr: 0xff, counters: { discarded: 2 } }),
      models: { p6: apics({}, { svr: 0xff }) },
    });
    add('init-deassert', 'INIT with level and de-assert resets nothing.', {
      source: sdm('Interrupt Command Register (ICR)'),
      config: physical(2),
      when: ipi(0, 1, 0, { delivery: INIT, level: true, assert: false }),
      state: apics({}, { init: false }),
    });
    add('waiting-deaf', 'A waiting processor takes neither NMI nor SMI nor interrupts.', {
      source: PROTOCOL,
      config: physical(2),
      given: [init, take(1), message(1, 0, { delivery: NMI }), message(1, 0, { delivery: SMI })],
      when: [[take(1), 'none']],
      state: apics({}, { nmi: true, smi: true, waiting: true }),
    });
    add('nmi-if', 'NMI is taken with IF clear.', {
      source: sdm('Nonmaskable Interrupt (NMI)'),
      config: flat(1),
      given: [setIf(0, false)],
      when: [
        [nmi, 1],
        [take(0), 'nmi'],
      ],
    });
    add('nmi-once', 'Ten NMIs inside an NMI handler are one more.', {
      source: sdm('Handling Multiple NMIs'),
      config: flat(1),
      given: [nmi, take(0)],
      when: [
        ...Array.from({ length: 10 }, () => [nmi, 1]),
        [take(0), 'none'],
        [iret(0), 'nmi'],
        [take(0), 'nmi'],
        [iret(0), 'nmi'],
        [take(0), 'none'],
      ],
      state: apics({ counters: { nmis: 11 } }),
    });
    add('nmi-early', 'Three NMIs before the first is taken are one; KVM keeps two of them.', {
      source: 'SDM 3A "Handling Multiple NMIs"; KVM process_nmi()',
      config: flat(1),
      given: [nmi, nmi, nmi],
      when: [
        [take(0), 'nmi'],
        [take(0), 'none'],
        [iret(0), 'nmi'],
        [take(0), 'none', { kvm: 'nmi' }],
        [iret(0), 'none', { kvm: 'nmi' }],
        [take(0), 'none'],
      ],
    });
    add('nmi-nested-iret', 'Any IRET unblocks NMIs, one of a handler inside the NMI handler too.', {
      source: 'SDM 3A "Handling Multiple NMIs"',
      config: flat(1),
      given: [nmi, take(0), setIf(0, true), message(0, 0x31), take(0), nmi],
      when: [
        [take(0), 'none'],
        [iret(0), 'vector 49'],
        [take(0), 'nmi'],
      ],
    });
    add('smi-in-nmi', 'RSM leaves NMIs blocked when the SMI came inside an NMI handler.', {
      source: 'SDM 3C "NMI Handling While in SMM"',
      config: flat(1),
      given: [nmi, take(0), message(0, 0, { delivery: SMI }), take(0), nmi],
      when: [
        [take(0), 'none'],
        [iret(0), 'smi'],
        [take(0), 'none'],
        [iret(0), 'nmi'],
        [take(0), 'nmi'],
      ],
    });
    add('init-in-smm', 'An INIT inside an SMI handler waits for RSM.', {
      source: 'SDM 3C "System Management Mode"; KVM kvm_apic_init_sipi_allowed()',
      config: flat(1),
      given: [message(0, 0, { delivery: SMI }), take(0), message(0, 0, { delivery: INIT })],
      when: [
        [take(0), 'none'],
        [iret(0), 'smi'],
        [take(0), 'init'],
      ],
    });
    add('nmi-tpr', 'NMI does not ask the TPR.', {
      source: sdm('Task and Processor Priorities'),
      config: flat(1),
      given: [{ op: 'cr8_write', cpu: 0, value: 15 }],
      when: [
        [nmi, 1],
        [take(0), 'nmi'],
      ],
    });
    add('shadow', 'Nothing is taken in the interrupt shadow of one instruction.', {
      source: sdm('Masking Maskable Hardware Interrupts'),
      config: flat(1),
      given: [message(0, 0x31), shadow(0)],
      when: [
        [take(0), 'none'],
        [take(0), 'vector 49'],
      ],
    });
    add('smi-first', 'SMI goes before NMI, NMI before interrupts.', {
      source: sdm('Priority Among Concurrent Events'),
      config: flat(1),
      given: [message(0, 0x31), nmi, message(0, 0, { delivery: SMI })],
      when: [
        [take(0), 'smi'],
        [take(0), 'none'],
        [iret(0), 'smi'],
        [take(0), 'nmi'],
        [iret(0), 'nmi'],
        [take(0), 'vector 49'],
      ],
    });
    add('halt-wakes', 'An interrupt wakes a halted processor.', {
      source: sdm('Interrupt Acceptance for Fixed Interrupts'),
      config: flat(1),
      given: [{ op: 'halt', cpu: 0 }],
      when: [
        [message(0, 0x31), 1],
        [take(0), 'vector 49'],
      ],
      state: apics({ halted: false }),
    });
  },
);
