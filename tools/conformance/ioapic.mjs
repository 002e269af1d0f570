// I/O APIC pins and redirection entries.
import {
  acknowledge,
  apics,
  entry,
  entryHex,
  eoi,
  flat,
  ioRead,
  ioReg,
  ioWrite,
  irq,
  MASKED,
  REMOTE_IRR,
  topic,
} from './helpers.mjs';

const SHEET = '82093AA data sheet, redirection table';
const EDGE = 0x851;
const LEVEL = 0x8851;
const pin3 = (low, dest = 1) => ({ ioapics: { 0: { entries: { 3: entryHex(low, dest) } } } });

export default topic('ioapic', 'I/O APIC: edge, level, remote IRR', (add) => {
  for (const version of [0x11, 0x20]) {
    add(
      `version-${version.toString(16)}`,
      `The version register of a 24-pin I/O APIC of version 0x${version.toString(16)}.`,
      {
        source: '82093AA data sheet, version register',
        config: flat(1, { ioapics: [{ pins: 24, version, id: 0 }] }),
        when: [ioWrite(0, 1), [ioRead(0x10), (23 << 16) | version]],
      },
    );
    add(
      `eoi-register-${version.toString(16)}`,
      `Version 0x${version.toString(16)} ${version === 0x20 ? 'has an' : 'has no'} EOI register.`,
      {
        source: 'ICH data sheet, EOI register',
        config: flat(1, { ioapics: [{ pins: 24, version, id: 0 }] }),
        given: [entry(3, LEVEL, 1), irq(3, true), irq(3, false)],
        when: [ioWrite(0x40, 0x51)],
        state: pin3(version === 0x20 ? LEVEL : LEVEL | REMOTE_IRR),
      },
    );
  }
  add('reset', 'After reset every entry is masked.', {
    source: SHEET,
    config: flat(1),
    when: [ioWrite(0, 0x10), [ioRead(0x10), MASKED], ioWrite(0, 0x3e), [ioRead(0x10), MASKED]],
  });
  add('id', 'The id has four bits, and the arbitration id follows it.', {
    source: '82093AA data sheet, identification register',
    config: flat(1),
    when: [
      ioReg(0, 0xff000000),
      [ioRead(0x10), 0x0f000000],
      ioWrite(0, 2),
      [ioRead(0x10), 0x0f000000],
    ],
  });
  add(
    'entry-bits',
    'An entry keeps its defined bits; delivery status and remote IRR cannot be written.',
    {
      source: SHEET,
      config: flat(1),
      when: [
        ioReg(0x16, 0xffffffff),
        [ioRead(0x10), 0x1afff, { kvm: 0xffffafff, qemu: 0xffffafff }],
        ioReg(0x17, 0xffffffff),
        [ioRead(0x10), 0xff000000, { kvm: 0xffffffff, qemu: 0xffffffff }],
      ],
    },
  );
  add('absent', 'A register that the I/O APIC does not have reads 0.', {
    source: SHEET,
    config: flat(1, { ioapics: [{ pins: 4, version: 0x20, id: 0 }] }),
    when: [ioReg(0x18, 0x31), [ioRead(0x10), 0, { kvm: 0xffffffff }]],
  });
  add('edge', 'An edge pin sends at its rise and at nothing else.', {
    source: SHEET,
    config: flat(1),
    given: [entry(3, EDGE, 1)],
    when: [irq(3, true), irq(3, true), irq(3, false)],
    state: { ...apics({ irr: [0x51], tmr: [], counters: { attempted: 1 } }), ...pin3(EDGE) },
  });
  add('edge-masked', 'An edge while masked is lost.', {
    source: SHEET,
    config: flat(1),
    given: [entry(3, EDGE | MASKED, 1), irq(3, true)],
    when: [ioReg(0x16, EDGE)],
    state: apics({ irr: [] }),
  });
  add('edge-low', 'An active-low edge pin sends at its fall.', {
    source: SHEET,
    config: flat(1),
    given: [irq(3, true), entry(3, EDGE | 0x2000, 1)],
    when: [irq(3, false)],
    state: apics({ irr: [0x51] }),
    models: { kvm: apics({ irr: [] }), qemu: apics({ irr: [] }) },
  });
  add('level', 'A level pin sends once, sets remote IRR, and TMR at the target.', {
    source: SHEET,
    config: flat(1),
    given: [entry(3, LEVEL, 1)],
    when: [irq(3, true), irq(3, true)],
    state: {
      ...apics({ irr: [0x51], tmr: [0x51], counters: { attempted: 1 } }),
      ...pin3(LEVEL | REMOTE_IRR),
    },
  });
  add('level-coalesce', 'Pulses of a level pin before its EOI are one interrupt.', {
    source: SHEET,
    config: flat(1),
    given: [entry(3, LEVEL, 1)],
    when: [irq(3, true), irq(3, false), irq(3, true), irq(3, false)],
    state: apics({ counters: { attempted: 1 } }),
  });
  add('level-retrigger', 'A level pin that is still active at EOI is served again.', {
    source: SHEET,
    config: flat(1),
    given: [entry(3, LEVEL, 1), irq(3, true), acknowledge(0)],
    when: [
      [eoi(0), 'matched 81'],
      [acknowledge(0), 'vector 81'],
    ],
    state: pin3(LEVEL | REMOTE_IRR),
  });
  add('level-masked', 'A level pin that is active while masked is served when it is unmasked.', {
    source: SHEET,
    config: flat(1),
    given: [entry(3, LEVEL | MASKED, 1), irq(3, true)],
    when: [ioReg(0x16, LEVEL)],
    state: apics({ irr: [0x51] }),
  });
  add(
    'level-refused',
    'Remote IRR is set only when somebody takes the interrupt; in QEMU always.',
    {
      source: `${SHEET}; QEMU ioapic_service()`,
      config: flat(1),
      given: [entry(3, 0x8051, 9)],
      when: [irq(3, true)],
      state: { ...pin3(0x8051, 9), unclaimed: 1 },
      models: { qemu: pin3(0xc051, 9) },
    },
  );
  add('two-pins', 'Two level pins with one vector: the EOI clears both before it serves either.', {
    source: SHEET,
    config: flat(1),
    given: [entry(3, LEVEL, 1), entry(4, LEVEL, 1), irq(3, true), irq(4, true), acknowledge(0)],
    when: [[eoi(0), 'matched 81']],
    state: {
      ...apics({ irr: [0x51] }),
      ioapics: {
        0: { entries: { 3: entryHex(LEVEL | REMOTE_IRR, 1), 4: entryHex(LEVEL | REMOTE_IRR, 1) } },
      },
    },
    except: ['p6-vector'],
  });
  add(
    'edge-clears-remote-irr',
    'An entry that is made edge loses its remote IRR: an EOI for chips without an EOI register.',
    {
      source: 'Linux 6.12 arch/x86/kernel/apic/io_apic.c __eoi_ioapic_pin()',
      config: flat(1),
      given: [entry(3, LEVEL, 1), irq(3, true), irq(3, false)],
      when: [ioReg(0x16, EDGE | MASKED), ioReg(0x16, LEVEL)],
      state: pin3(LEVEL),
    },
  );
  for (const [delivery, field] of [
    [0x200, { smi: true }],
    [0x400, { nmi: true }],
    [0x500, { init: true }],
  ]) {
    add(
      `delivery-${delivery.toString(16)}`,
      `Delivery mode ${delivery >> 8} of an entry is edge whatever its trigger bit says.`,
      {
        source: SHEET,
        config: flat(1),
        given: [entry(3, LEVEL | delivery, 1)],
        when: [irq(3, true)],
        state: { ...apics(field), ...pin3(LEVEL | delivery) },
      },
    );
  }
  add('physical', 'A physical entry names an id.', {
    source: SHEET,
    config: flat(3),
    given: [entry(3, 0x51, 2)],
    when: [irq(3, true)],
    state: apics({ irr: [] }, { irr: [] }, { irr: [0x51] }),
  });
  add('second', 'A second I/O APIC has pins of its own, and hears every EOI.', {
    source: SHEET,
    config: flat(1, {
      ioapics: [
        { pins: 24, version: 0x20, id: 0 },
        { pins: 8, version: 0x20, id: 1 },
      ],
    }),
    given: [entry(2, LEVEL, 1, 1), irq(2, true, 1), acknowledge(0), irq(2, false, 1)],
    when: [[eoi(0), 'matched 81']],
    state: { ioapics: { 1: { entries: { 2: entryHex(LEVEL, 1) } } } },
  });
});
