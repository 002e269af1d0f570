// The spurious vector.
import { acknowledge, apics, eoi, flat, message, REG, sdm, topic, write } from './helpers.mjs';

const SPURIOUS = sdm('Spurious Interrupt');
const to0 = (vector) => message(1, vector, { logical: true });

export default topic('spurious', 'Spurious interrupt vector', (add) => {
  add(
    'masked',
    'An acknowledge that finds the request masked by TPR gets the spurious vector; ISR stays.',
    {
      source: SPURIOUS,
      config: flat(1),
      given: [to0(0x31), write(0, REG.tpr, 0x30)],
      when: [[acknowledge(0), 'spurious 255', { kvm: 'none' }]],
      state: apics({ irr: [0x31], isr: [] }),
    },
  );
  for (const [svr, vector, p6] of [
    [0x1ef, 0xef, 0xef],
    [0x131, 0x31, 0x3f],
    [0x1f0, 0xf0, 0xff],
  ]) {
    add(
      `vector-${vector.toString(16)}`,
      `SVR 0x${svr.toString(16)} makes the spurious vector ${vector}; on P6 its low four bits are 1.`,
      {
        source: SPURIOUS,
        config: flat(1),
        given: [write(0, REG.svr, svr), to0(0x41), write(0, REG.tpr, 0x80)],
        when: [[acknowledge(0), `spurious ${vector}`, { kvm: 'none', p6: `spurious ${p6}` }]],
      },
    );
  }
  add('nothing-pending', 'With nothing pending there is no spurious interrupt.', {
    source: SPURIOUS,
    config: flat(1),
    given: [write(0, REG.tpr, 0xf0)],
    when: [[acknowledge(0), 'none']],
  });
  add('no-eoi', 'A spurious handler that writes EOI ends a real interrupt.', {
    source: SPURIOUS,
    config: flat(1),
    given: [to0(0x51), acknowledge(0), to0(0x31), acknowledge(0)],
    when: [[eoi(0), 'matched 81']],
    state: apics({ isr: [], irr: [0x31] }),
  });
  add('real-source', 'The spurious vector as a real vector is in service like any other.', {
    source: SPURIOUS,
    config: flat(1),
    given: [to0(0xff)],
    when: [
      [acknowledge(0), 'vector 255'],
      [eoi(0), 'matched 255'],
    ],
    state: apics({ isr: [] }),
  });
  add('disabled', 'A software-disabled local APIC gives no spurious vector.', {
    source: SPURIOUS,
    config: flat(1),
    given: [to0(0x31), write(0, REG.tpr, 0xf0), write(0, REG.svr, 0xff)],
    when: [[acknowledge(0), 'none']],
  });
});
