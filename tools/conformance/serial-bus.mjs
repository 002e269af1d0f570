// Pentium and P6: slots, rejection, retry, arbitration.
import {
  acknowledge,
  advance,
  apics,
  eoi,
  ipi,
  message,
  physical,
  REG,
  read,
  sdm,
  topic,
  write,
} from './helpers.mjs';

const SLOTS = `${sdm('Interrupt Acceptance for Fixed Interrupts')}, editions of 2009 (two per class) and 2016 (two per vector)`;
const BUS = sdm('APIC Bus Message Formats');
const STATUS = sdm('APIC Bus Status Cycles');
const P6 = ['p6'];
const send = (vector) => ipi(0, 1, vector);

export default topic('serial-bus', 'P6: two slots, reject, retry, arbitration', (add) => {
  add(
    'third-in-class',
    'A third interrupt of one class is rejected where two per class is the limit, and accepted where it is two per vector.',
    {
      source: SLOTS,
      config: physical(2),
      given: [send(0x31), send(0x32)],
      when: [...send(0x33)],
      state: apics(
        { icr_low: 0x5033 },
        { irr: [0x31, 0x32], counters: { attempted: 3, rejected: 1 } },
      ),
      models: {
        'p6-vector': apics(
          { icr_low: 0x4033 },
          { irr: [0x31, 0x32, 0x33], counters: { rejected: 0 } },
        ),
      },
      only: P6,
    },
  );
  add('in-service-counts', 'An interrupt in service takes one of the two places of its class.', {
    source: SLOTS,
    config: physical(2),
    given: [send(0x31), acknowledge(1), send(0x32)],
    when: [...send(0x33)],
    state: apics({ icr_low: 0x5033 }, { irr: [0x32], isr: [0x31] }),
    models: { 'p6-vector': apics({ icr_low: 0x4033 }, { irr: [0x32, 0x33] }) },
    only: P6,
  });
  add('other-class', 'Another class has places of its own.', {
    source: SLOTS,
    config: physical(2),
    given: [send(0x31), send(0x32)],
    when: [...send(0x41)],
    state: apics({ icr_low: 0x4041 }, { irr: [0x31, 0x32, 0x41] }),
    only: P6,
  });
  add('same-vector', 'The same vector again merges (per class), or is rejected (per vector).', {
    source: SLOTS,
    config: physical(2),
    given: [send(0x31)],
    when: [...send(0x31)],
    state: apics({ icr_low: 0x4031 }, { counters: { coalesced: 1, rejected: 0 } }),
    models: {
      'p6-vector': apics({ icr_low: 0x5031 }, { counters: { coalesced: 0, rejected: 1 } }),
    },
    only: P6,
  });
  add('later-merges', 'Later processors have no such limit.', {
    source: SLOTS,
    config: physical(2),
    given: [send(0x31), send(0x32)],
    when: [...send(0x33), ...send(0x33)],
    state: apics(
      { icr_low: 0x4033 },
      { irr: [0x31, 0x32, 0x33], counters: { coalesced: 1, rejected: 0 } },
    ),
    except: P6,
  });
  add(
    'retry',
    'A rejected message is sent again until there is room: 21 clocks each, at 16.67 MHz.',
    {
      source: STATUS,
      config: physical(2),
      given: [send(0x31), send(0x32), send(0x33)],
      when: [advance(12600)],
      state: {
        ...apics({ icr_low: 0x5033 }, { irr: [0x31, 0x32], counters: { rejected: 11 } }),
        bus: { messages: 13, retries: 10, clocks: 273 },
      },
      only: ['p6-class'],
    },
  );
  add('retry-succeeds', 'After an EOI the next retry gets through, and the sender is idle.', {
    source: STATUS,
    config: physical(2),
    given: [send(0x31), send(0x32), send(0x33), acknowledge(1), eoi(1)],
    when: [advance(1260), [read(0, REG.icrLow), 0x4033]],
    state: apics({}, { irr: [0x31, 0x33] }),
    only: ['p6-class'],
  });
  add('busy-ignored', 'A write of ICR while the last message is pending is ignored.', {
    source: STATUS,
    config: physical(2),
    given: [send(0x31), send(0x32), send(0x33)],
    when: [...send(0x51)],
    state: apics({ icr_low: 0x5033 }, { irr: [0x31, 0x32] }),
    only: ['p6-class'],
  });
  for (const delivery of [2, 4, 5]) {
    add(`bypass-${delivery}`, `Delivery mode ${delivery} needs no slot.`, {
      source: SLOTS,
      config: physical(2),
      given: [send(0x31), send(0x32)],
      when: [...ipi(0, 1, 0x33, { delivery })],
      state: { apics: { 0: { icr_low: 0x4033 | (delivery << 8) } } },
      only: P6,
    });
  }
  add('all-or-nothing', 'A message that one of its targets rejects is taken by none of them.', {
    source: STATUS,
    config: physical(3),
    given: [send(0x31), send(0x32)],
    when: [write(0, REG.icrLow, 0xc4033)],
    state: apics({}, { irr: [0x31, 0x32] }, { irr: [] }),
    only: ['p6-class'],
  });
  add('clocks-short', 'A short message takes 21 clocks.', {
    source: BUS,
    config: physical(2),
    when: [...send(0x31)],
    state: { bus: { messages: 1, retries: 0, clocks: 21 } },
    only: P6,
  });
  add('clocks-lowest', 'Lowest priority without a focus processor takes 34 clocks.', {
    source: BUS,
    config: physical(2),
    when: [...ipi(0, 1, 0x31, { delivery: 1 })],
    state: { bus: { messages: 1, clocks: 34 } },
    only: P6,
  });
  add('clocks-focus', 'With a focus processor it is a short message.', {
    source: BUS,
    config: physical(2),
    given: [send(0x31), acknowledge(1)],
    when: [...ipi(0, 1, 0x31, { delivery: 1 })],
    state: { bus: { messages: 2, clocks: 42 } },
    only: P6,
  });
  add('clocks-eoi', 'The EOI of a level interrupt takes 14 clocks.', {
    source: BUS,
    config: physical(1),
    given: [message(0, 0x31, { level: true }), acknowledge(0)],
    when: [[eoi(0), 'matched 49']],
    state: { bus: { messages: 1, clocks: 14 } },
    only: P6,
  });
  add(
    'send-accept-error',
    'A message that nobody accepts is a send accept error (bit 2) on P6; later processors have none.',
    {
      source: sdm('Error Handling'),
      config: physical(2),
      when: [...ipi(0, 9, 0x31), write(0, REG.esr, 0), [read(0, REG.esr), 0, { p6: 0x04 }]],
      state: { unclaimed: 1 },
    },
  );
  add(
    'receive-accept-error',
    'One that its only target refuses is a receive accept error (bit 3) there as well.',
    {
      source: sdm('Error Handling'),
      config: physical(2),
      given: [write(1, REG.svr, 0xff)],
      when: [
        ...ipi(0, 1, 0x31),
        write(0, REG.esr, 0),
        write(1, REG.esr, 0),
        [read(0, REG.esr), 0x04],
        [read(1, REG.esr), 0x08],
      ],
      only: P6,
    },
  );
  add('self-no-bus', 'A self-IPI does not use the bus.', {
    source: BUS,
    config: physical(1),
    when: [write(0, REG.icrLow, 0x44031)],
    state: { ...apics({ irr: [0x31] }), bus: { messages: 0, clocks: 0 } },
    only: P6,
  });
  add(
    'arbitration',
    'Of two rejected senders the one with the higher arbitration priority goes first.',
    {
      source: sdm('APIC Bus Arbitration Mechanism and Protocol'),
      config: physical(3),
      given: [
        message(2, 0x31),
        message(2, 0x32),
        ipi(0, 2, 0x33),
        ipi(1, 2, 0x34),
        acknowledge(2),
        eoi(2),
      ],
      when: [advance(1260)],
      state: apics({ icr_low: 0x5033 }, { icr_low: 0x4034 }, { irr: [0x31, 0x34] }),
      only: ['p6-class'],
    },
  );
});
