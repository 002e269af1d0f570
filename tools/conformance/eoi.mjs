// What an EOI ends.
import {
  acknowledge,
  apics,
  entry,
  entryHex,
  eoi,
  flat,
  hex2,
  iret,
  irq,
  lint,
  message,
  picIrq,
  picSetup,
  REG,
  REMOTE_IRR,
  sdm,
  setIf,
  take,
  topic,
  write,
  wrmsr,
  x2apic,
} from './helpers.mjs';

const EOI = sdm('Signaling Interrupt Servicing Completion');
const EXTINT = 0x700;
const LEVEL_ENTRY = 0x8851;
const to0 = (vector, extra) => message(1, vector, { logical: true, ...extra });
const ioState = (pins) => ({ entries: pins });

export default topic('eoi', 'End of interrupt: the highest, the stray, the wrong one', (add) => {
  for (const [outer, inner] of [
    [0x31, 0x41],
    [0x31, 0xff],
    [0x1f, 0x20],
  ]) {
    add(
      `highest-${outer.toString(16)}-${inner.toString(16)}`,
      `With ${hex2(outer)} and ${hex2(inner)} in service EOI ends ${hex2(inner)} first.`,
      {
        source: EOI,
        config: flat(1),
        given: [to0(outer), acknowledge(0), to0(inner), acknowledge(0)],
        when: [
          [eoi(0), `matched ${inner}`],
          [eoi(0), `matched ${outer}`],
          [eoi(0), 'stray'],
        ],
        state: apics({ isr: [], counters: { eois: 2, stray_eois: 1 } }),
      },
    );
  }
  add('stray', 'EOI with nothing in service changes nothing, whatever is pending.', {
    source: EOI,
    config: flat(1),
    given: [write(0, REG.tpr, 0xf0), to0(0x31)],
    when: [[eoi(0), 'stray']],
    state: apics({ irr: [0x31], isr: [], counters: { stray_eois: 1, eois: 0 } }),
  });
  add('double', "A second EOI in one handler ends the interrupted handler's vector.", {
    source: EOI,
    config: flat(1),
    given: [to0(0x31), take(0), setIf(0, true), to0(0x51), take(0)],
    when: [
      [eoi(0), 'matched 81'],
      [eoi(0), 'other 49'],
      [iret(0), 'vector 81'],
      [eoi(0), 'stray'],
    ],
    state: apics({ isr: [], counters: { other_eois: 1, stray_eois: 1 } }),
  });
  add('wrong-opens-class', 'The wrong EOI opens the class of a handler that still runs.', {
    source: EOI,
    config: flat(1),
    given: [to0(0x51), take(0), setIf(0, true), to0(0x61), take(0), setIf(0, true), to0(0x52)],
    when: [
      [eoi(0), 'matched 97'],
      [take(0), 'none'],
      [eoi(0), 'other 81'],
      [take(0), 'vector 82'],
    ],
    state: apics({ handlers: ['vector 81', 'vector 97', 'vector 82'] }),
  });
  add(
    'extint-alone',
    'An ExtINT handler that writes EOI with nothing in service: a stray EOI, no harm.',
    {
      source: sdm('Local Vector Table'),
      config: flat(1),
      given: [picSetup(), write(0, REG.lint0, EXTINT), picIrq(0, true), take(0)],
      when: [[eoi(0), 'stray']],
      state: apics({ isr: [], handlers: ['extint 32'], counters: { stray_eois: 1 } }),
    },
  );
  add(
    'extint-nested',
    'An ExtINT handler that writes EOI inside another handler ends that one too early.',
    {
      source: sdm('Local Vector Table'),
      config: flat(1),
      given: [
        picSetup(),
        write(0, REG.lint0, EXTINT),
        to0(0x51),
        take(0),
        setIf(0, true),
        picIrq(0, true),
        take(0),
      ],
      when: [[eoi(0), 'other 81']],
      state: apics({ isr: [], handlers: ['vector 81', 'extint 32'], counters: { other_eois: 1 } }),
    },
  );
  add(
    'early-isr',
    'With the ISR bit set at dispatch, a stray EOI ends a vector that no CPU has taken; it is taken all the same.',
    {
      source: `${EOI}: "exactly when the ISR bit actually gets set"`,
      config: flat(1, { isrSetAt: 'dispatch' }),
      given: [setIf(0, false), to0(0x31)],
      when: [[eoi(0), 'matched 49'], setIf(0, true), [take(0), 'vector 49']],
      state: apics({ isr: [], irr: [], handlers: ['vector 49'] }),
    },
  );
  add(
    'late-isr',
    'With the ISR bit set as the CPU takes the interrupt, a stray EOI before that does nothing.',
    {
      source: EOI,
      config: flat(1),
      given: [setIf(0, false), to0(0x31)],
      when: [[eoi(0), 'stray'], setIf(0, true), [take(0), 'vector 49']],
      state: apics({ isr: [0x31], irr: [] }),
    },
  );
  add('level-broadcast', 'EOI of a level vector clears remote IRR in the I/O APIC.', {
    source: EOI,
    config: flat(1),
    given: [entry(3, LEVEL_ENTRY, 1), irq(3, true), acknowledge(0), irq(3, false)],
    when: [[eoi(0), 'matched 81']],
    state: {
      ...apics({ irr: [], isr: [] }),
      ioapics: { 0: ioState({ 3: entryHex(LEVEL_ENTRY, 1) }) },
    },
  });
  add(
    'edge-no-broadcast',
    'EOI of an edge vector leaves remote IRR of an entry with that vector alone.',
    {
      source: EOI,
      config: flat(1),
      given: [entry(3, LEVEL_ENTRY, 1), irq(3, true), irq(3, false), to0(0x51), acknowledge(0)],
      when: [[eoi(0), 'matched 81']],
      state: { ioapics: { 0: ioState({ 3: entryHex(LEVEL_ENTRY | REMOTE_IRR, 1) }) } },
      except: ['p6-vector'],
    },
  );
  add('suppressed', 'With SVR bit 12 set the EOI is not broadcast: remote IRR stays.', {
    source: EOI,
    config: flat(1),
    given: [
      write(0, REG.svr, 0x11ff),
      entry(3, LEVEL_ENTRY, 1),
      irq(3, true),
      acknowledge(0),
      irq(3, false),
    ],
    when: [[eoi(0), 'matched 81']],
    state: { ioapics: { 0: ioState({ 3: entryHex(LEVEL_ENTRY | REMOTE_IRR, 1) }) } },
    models: Object.fromEntries(
      ['amd', 'kvm', 'qemu', 'p6'].map((model) => [
        model,
        { ioapics: { 0: ioState({ 3: entryHex(LEVEL_ENTRY, 1) }) } },
      ]),
    ),
  });
  add('directed', 'A suppressed EOI is made up for by the EOI register of the I/O APIC.', {
    source: EOI,
    config: flat(1),
    given: [
      write(0, REG.svr, 0x11ff),
      entry(3, LEVEL_ENTRY, 1),
      irq(3, true),
      acknowledge(0),
      eoi(0),
      irq(3, false),
    ],
    when: [{ op: 'ioapic_write', ioapic: 0, offset: 0x40, value: 0x51 }],
    state: { ioapics: { 0: ioState({ 3: entryHex(LEVEL_ENTRY, 1) }) } },
  });
  add('x2apic-nonzero', 'In x2APIC mode only 0 can be written to EOI.', {
    source: sdm('x2APIC Register Address Space'),
    config: x2apic(1),
    given: [message(0, 0x31), acknowledge(0)],
    when: [[wrmsr(0, 0x80b, 1), 'GP', { kvm: 'ok', qemu: 'ok' }]],
    state: apics({ isr: [0x31] }),
    models: { kvm: apics({ isr: [] }), qemu: apics({ isr: [] }) },
    except: ['p6'],
  });
  add('xapic-any', 'In xAPIC mode any value written to EOI ends the interrupt.', {
    source: EOI,
    config: flat(1),
    given: [to0(0x31), acknowledge(0)],
    when: [write(0, REG.eoi, 0xdeadbeef)],
    state: apics({ isr: [], counters: { eois: 1 } }),
  });
  add('nmi', 'An NMI handler that writes EOI ends what it interrupted.', {
    source: EOI,
    config: flat(1),
    given: [to0(0x31), take(0), message(1, 0, { logical: true, delivery: 4 }), take(0)],
    when: [[eoi(0), 'other 49']],
    state: apics({ isr: [], handlers: ['vector 49', 'nmi'] }),
  });
  add(
    'lint-level',
    'EOI clears remote IRR of a level LINT pin; it is served again while the pin is high.',
    {
      source: sdm('Local Vector Table'),
      config: flat(1),
      given: [write(0, REG.lint1, 0x8051), lint(0, 1, true), acknowledge(0)],
      when: [[eoi(0), 'matched 81']],
      state: apics({ irr: [0x51], lvt: { lint1: 0xc051 } }),
      models: {
        kvm: apics({ irr: [], lvt: { lint1: 0x8051 } }),
        qemu: apics({ irr: [], lvt: { lint1: 0x8051 } }),
      },
    },
  );
});
