// The error status register and the error interrupt.
import {
  acknowledge,
  apics,
  flat,
  ipi,
  message,
  physical,
  REG,
  read,
  sdm,
  selfIpi,
  topic,
  write,
  wrmsr,
  x2apic,
  x2ipi,
} from './helpers.mjs';

const ERRORS = sdm('Error Handling');
const latch = write(0, REG.esr, 0);
const others = (zero) => ({ kvm: zero, qemu: zero });

export default topic('errors', 'Error status register and error interrupt', (add) => {
  for (const vector of [0, 9, 15]) {
    add(
      `send-${vector}`,
      `Sending vector ${vector} sets bit 5 at the sender, and bit 6 at the receiver, which sets no IRR bit.`,
      {
        source: ERRORS,
        config: physical(2),
        when: [
          ...ipi(0, 1, vector),
          latch,
          write(1, REG.esr, 0),
          [read(0, REG.esr), 0x20, others(0)],
          [read(1, REG.esr), 0x40, others(0)],
        ],
        state: apics({}, { irr: [], counters: { attempted: 1, rejected: 1 } }),
        models: {
          kvm: apics({}, { irr: [vector], counters: { rejected: 0 } }),
          qemu: apics({}, { irr: [vector], counters: { rejected: 0 } }),
        },
      },
    );
  }
  add('legal-16', 'Vector 16 is legal for the local APIC.', {
    source: sdm('Valid Interrupt Vectors'),
    config: physical(2),
    when: [...ipi(0, 1, 16), latch, [read(0, REG.esr), 0]],
    state: apics({}, { irr: [16] }),
  });
  add('self', 'A self-IPI with an illegal vector sets both bits at one local APIC.', {
    source: ERRORS,
    config: physical(1),
    when: [selfIpi(0, 5), latch, [read(0, REG.esr), 0x60, others(0)]],
  });
  add(
    'low-never',
    'A pending vector below 16 never beats the PPR (KVM); QEMU dispatches it while the PPR is 0.',
    {
      source: 'KVM apic_has_interrupt_for_ppr(); QEMU apic_irq_pending()',
      config: flat(1),
      given: [message(1, 9, { logical: true })],
      when: [[acknowledge(0), 'none', { qemu: 'vector 9' }]],
      only: ['kvm', 'qemu'],
    },
  );
  add('low-blocked', 'QEMU holds a vector below 16 while anything is in service.', {
    source: 'QEMU apic_irq_pending()',
    config: flat(1),
    given: [message(1, 0x31, { logical: true }), acknowledge(0), message(1, 9, { logical: true })],
    when: [[acknowledge(0), 'spurious 255']],
    only: ['qemu'],
  });
  for (const delivery of [4, 5, 6]) {
    add(`no-check-${delivery}`, `Delivery mode ${delivery} has no vector to be illegal.`, {
      source: ERRORS,
      config: physical(2),
      when: [...ipi(0, 1, 6, { delivery }), latch, [read(0, REG.esr), 0]],
    });
  }
  add('hidden-until-written', 'ESR shows nothing new until it is written.', {
    source: ERRORS,
    config: physical(1),
    given: [selfIpi(0, 5)],
    when: [[read(0, REG.esr), 0]],
  });
  add('write-clears', 'The second write shows that nothing happened since the first.', {
    source: ERRORS,
    config: physical(1),
    given: [selfIpi(0, 5), latch],
    when: [latch, [read(0, REG.esr), 0]],
  });
  add('any-value', 'Any value written to ESR latches, in xAPIC mode.', {
    source: ERRORS,
    config: physical(1),
    given: [selfIpi(0, 5)],
    when: [write(0, REG.esr, 0xffffffff), [read(0, REG.esr), 0x60, others(0)]],
  });
  add('accumulates', 'Different errors add up until ESR is written.', {
    source: ERRORS,
    config: physical(1),
    given: [selfIpi(0, 5), read(0, 0x70)],
    when: [latch, [read(0, REG.esr), 0xe0, { kvm: 0, qemu: 0x80 }]],
  });
  for (const offset of [0x00, 0x40, 0xc0, 0x290, 0x3a0]) {
    add(
      `illegal-${offset.toString(16)}`,
      `Reading the reserved offset 0x${offset.toString(16)} gives 0 and sets bit 7.`,
      {
        source: ERRORS,
        config: physical(1),
        when: [[read(0, offset), 0], latch, [read(0, REG.esr), 0x80, { kvm: 0 }]],
      },
    );
  }
  add('interrupt', 'An error raises the error interrupt when its LVT entry is unmasked.', {
    source: ERRORS,
    config: physical(1),
    given: [write(0, REG.error, 0xfe)],
    when: [message(0, 5), [acknowledge(0), 'vector 254', { kvm: 'none', qemu: 'vector 5' }]].map(
      (step) => (step.op ? [step, 0, { kvm: 1, qemu: 1 }] : step),
    ),
  });
  add('interrupt-once', 'The same error raises it again only after ESR was written.', {
    source: ERRORS,
    config: physical(1),
    given: [write(0, REG.error, 0xfe), message(0, 5), acknowledge(0), write(0, REG.eoi, 0)],
    when: [
      [message(0, 5), 0],
      [acknowledge(0), 'none'],
      latch,
      [message(0, 5), 0],
      [acknowledge(0), 'vector 254'],
    ],
    except: ['kvm', 'qemu'],
  });
  add(
    'interrupt-illegal',
    'An error interrupt with an illegal vector of its own is one more error, and no loop.',
    {
      source: ERRORS,
      config: physical(1),
      given: [write(0, REG.error, 0x05)],
      when: [[message(0, 6), 0], latch, [read(0, REG.esr), 0x40]],
      state: apics({ irr: [], counters: { attempted: 2, rejected: 2 } }),
      except: ['kvm', 'qemu'],
    },
  );
  add('interrupt-masked', 'A masked error entry keeps the interrupt, not the error, away.', {
    source: ERRORS,
    config: physical(1),
    given: [write(0, REG.error, 0x100fe)],
    when: [[message(0, 5), 0], latch, [read(0, REG.esr), 0x40]],
    state: apics({ irr: [] }),
    except: ['kvm', 'qemu'],
  });
  add('x2apic-illegal-register', 'In x2APIC mode an absent register is #GP, and no error.', {
    source: ERRORS,
    config: x2apic(1),
    when: [
      [{ op: 'rdmsr', cpu: 0, msr: 0x804 }, 'GP'],
      wrmsr(0, 0x828, 0),
      [{ op: 'rdmsr', cpu: 0, msr: 0x828 }, '0', { qemu: '80' }],
    ],
    except: ['p6'],
  });
  add('x2apic-send', 'In x2APIC mode the illegal vector is found, too.', {
    source: ERRORS,
    config: x2apic(2),
    when: [
      x2ipi(0, 1, 7),
      wrmsr(0, 0x828, 0),
      [{ op: 'rdmsr', cpu: 0, msr: 0x828 }, '20', { kvm: '0', qemu: '0' }],
    ],
    except: ['p6'],
  });
});
