// Shorthands, delivery modes, and what the register shows.
import {
  ALL,
  apics,
  DELIVERY_NAMES,
  flat,
  icr,
  ipi,
  OTHERS,
  physical,
  REG,
  rdmsr,
  read,
  SELF,
  sdm,
  shorthandIpi,
  topic,
  write,
  wrmsr,
  x2apic,
} from './helpers.mjs';

const ICR = sdm('Interrupt Command Register (ICR)');
const NAMES = { [SELF]: 'self', [ALL]: 'all including self', [OTHERS]: 'all excluding self' };

/** What one delivery leaves at a CPU of the machine. */
const MARK = {
  0: { irr: [0x31] },
  1: { irr: [0x31] },
  2: { smi: true },
  4: { nmi: true },
  5: { init: true },
  6: { sipi: -1 },
  7: { extint: true },
};
const NOTHING = { irr: [], smi: false, nmi: false, init: false, sipi: -1, extint: false };

export default topic('icr', 'Interrupt command register', (add) => {
  for (const shorthand of [SELF, ALL, OTHERS]) {
    for (const delivery of [0, 2, 4, 5]) {
      const legal = delivery === 0 || shorthand === OTHERS;
      const reaches = [0, 1, 2].map((cpu) =>
        shorthand === SELF ? cpu === 0 : shorthand === ALL || cpu !== 0,
      );
      const full = apics(...reaches.map((hit) => (hit ? MARK[delivery] : NOTHING)));
      const none = apics(NOTHING, NOTHING, NOTHING);
      add(
        `shorthand-${shorthand}-${delivery}`,
        `Shorthand ${NAMES[shorthand]} with ${DELIVERY_NAMES[delivery]}: ${legal ? 'reaches its targets' : 'invalid, nothing is sent'}.`,
        {
          source: ICR,
          config: flat(3),
          when: [shorthandIpi(0, shorthand, 0x31, { delivery })],
          state: legal ? full : none,
          ...(!legal && { models: { kvm: full, qemu: full } }),
        },
      );
    }
  }
  for (const delivery of [2, 4, 5]) {
    add(
      `physical-${delivery}`,
      `${DELIVERY_NAMES[delivery]} by physical id reaches that CPU alone, and sets no IRR bit.`,
      {
        source: ICR,
        config: physical(3),
        when: ipi(0, 1, 0x31, { delivery }),
        state: apics(NOTHING, { ...MARK[delivery], irr: [] }, NOTHING),
      },
    );
  }
  add('reserved-mode', 'Delivery mode 3 is reserved: nothing arrives.', {
    source: ICR,
    config: flat(2),
    when: ipi(0, 1, 0x31, { delivery: 3 }),
    state: apics({}, NOTHING),
  });
  add(
    'extint-mode',
    'Delivery mode 7 is reserved in the SDM; AMD and P6 deliver an external interrupt.',
    {
      source: `${ICR}; AMD APM 2 "Interrupt Command Register"`,
      config: flat(2),
      when: ipi(0, 1, 0x31, { delivery: 7 }),
      state: apics({}, NOTHING),
      models: {
        amd: apics({}, { extint: true }),
        qemu: apics({}, { irr: [0x31] }),
        p6: apics({}, { extint: true }),
      },
    },
  );
  add('high-first', 'Writing the high half sends nothing.', {
    source: ICR,
    config: physical(2),
    when: [write(0, REG.icrHigh, 0x01000000)],
    state: apics({ icr_high: 0x01000000 }, { irr: [] }),
  });
  add('redirected', 'A sender nested between the two writes of an xAPIC send redirects it.', {
    source: ICR,
    config: physical(3),
    when: [write(0, REG.icrHigh, 0x01000000), ...ipi(0, 2, 0x41), write(0, REG.icrLow, icr(0x31))],
    state: apics({}, { irr: [] }, { irr: [0x31, 0x41] }),
  });
  add('x2apic-one-write', 'In x2APIC mode one 64-bit write is one IPI: nothing can come between.', {
    source: sdm('ICR Operation in x2APIC Mode'),
    config: x2apic(3),
    when: [wrmsr(0, 0x830, '100004031'), [rdmsr(0, 0x830), '100004031', { qemu: '4031' }]],
    state: apics({}, { irr: [0x31] }, { irr: [] }),
    except: ['p6'],
  });
  add('busy-reads-idle', 'The delivery status reads idle once the message is accepted.', {
    source: ICR,
    config: physical(2),
    when: [...ipi(0, 1, 0x31), [read(0, REG.icrLow), 0x4031]],
  });
  add(
    'self-ipi-register',
    'The SELF_IPI register is a fixed edge interrupt to this CPU, pending when WRMSR completes.',
    {
      source: sdm('SELF IPI Register'),
      config: x2apic(2),
      when: [wrmsr(0, 0x83f, 0x31)],
      state: apics({ irr: [0x31], tmr: [] }, { irr: [] }),
      except: ['p6'],
    },
  );
  add('disabled-sends', 'A software-disabled local APIC still sends.', {
    source: sdm('Local APIC State After It Has Been Software Disabled'),
    config: physical(2),
    given: [write(0, REG.svr, 0xff)],
    when: ipi(0, 1, 0x31),
    state: apics({}, { irr: [0x31] }),
  });
});
