// Acceptance: merging, the two places a vector has, trigger mode.
import { acknowledge, apics, eoi, flat, hex2, ipi, message, sdm, topic } from './helpers.mjs';

const ACCEPT = sdm('Interrupt Acceptance for Fixed Interrupts');
const to0 = (vector, extra) => message(1, vector, { logical: true, ...extra });

export default topic('delivery', 'Acceptance: IRR, ISR, TMR and merging', (add) => {
  for (const times of [2, 3, 10]) {
    add(
      `merge-${times}`,
      `${times} sends of a pending vector are one interrupt and ${times - 1} merged.`,
      {
        source: ACCEPT,
        config: flat(1),
        when: Array.from({ length: times }, (_, i) => [to0(0x31), 1, i ? { 'p6-vector': 0 } : {}]),
        state: apics({
          irr: [0x31],
          counters: { attempted: times, coalesced: times - 1, rejected: 0 },
        }),
        models: { 'p6-vector': apics({ counters: { coalesced: 0, rejected: times - 1 } }) },
      },
    );
  }
  add('two-deep', 'A vector in service can be pending once more: two deep, the third merges.', {
    source: ACCEPT,
    config: flat(1),
    given: [to0(0x31), acknowledge(0)],
    when: [
      [to0(0x31), 1],
      [to0(0x31), 1, { 'p6-vector': 0 }],
      [eoi(0), 'matched 49'],
      [acknowledge(0), 'vector 49'],
    ],
    state: apics({ irr: [], isr: [0x31], counters: { delivered: 2, coalesced: 1 } }),
    models: { 'p6-vector': apics({ counters: { coalesced: 0 } }) },
  });
  for (const [first, second] of [
    [false, true],
    [true, false],
  ]) {
    const name = (level) => (level ? 'level' : 'edge');
    add(
      `trigger-${name(first)}-${name(second)}`,
      `A pending ${name(first)} interrupt that merges with a ${name(second)} one becomes ${name(second)}.`,
      {
        source: ACCEPT,
        config: flat(1),
        given: [to0(0x31, { level: first })],
        when: [[to0(0x31, { level: second }), 1]],
        state: apics({ tmr: second ? [0x31] : [] }),
        except: ['p6-vector'],
      },
    );
  }
  add('tmr-after-eoi', 'EOI leaves the TMR as it is.', {
    source: ACCEPT,
    config: flat(1),
    given: [to0(0x31, { level: true }), acknowledge(0)],
    when: [[eoi(0), 'matched 49']],
    state: apics({ tmr: [0x31], isr: [] }),
  });
  for (const vector of [
    0x10, 0x1f, 0x20, 0x3f, 0x40, 0x5f, 0x60, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xdf, 0xe0, 0xff,
  ]) {
    add(
      `vector-${vector.toString(16)}`,
      `Vector ${hex2(vector)} goes through IRR and ISR and out.`,
      {
        source: ACCEPT,
        config: flat(1),
        when: [
          [to0(vector), 1],
          [acknowledge(0), `vector ${vector}`],
          [eoi(0), `matched ${vector}`],
        ],
        state: apics({ irr: [], isr: [], counters: { attempted: 1, delivered: 1, eois: 1 } }),
      },
    );
  }
  add(
    'ipi-edge',
    'An IPI with the level bit set is edge on Pentium 4 and later: TMR stays clear.',
    {
      source: sdm('Interrupt Command Register (ICR)'),
      config: flat(2),
      when: ipi(0, 1, 0x31, { level: true }),
      state: apics({}, { irr: [0x31], tmr: [] }),
      models: {
        kvm: apics({}, { tmr: [0x31] }),
        qemu: apics({}, { tmr: [0x31] }),
        p6: apics({}, { tmr: [0x31] }),
      },
    },
  );
  add(
    'ipi-level-deassert',
    'A level IPI with assert clear is an edge interrupt all the same, but for models that drop it.',
    {
      source: sdm('Interrupt Command Register (ICR)'),
      config: flat(2),
      when: ipi(0, 1, 0x31, { level: true, assert: false }),
      state: apics({}, { irr: [0x31] }),
      models: { kvm: apics({}, { irr: [] }), p6: apics({}, { irr: [] }) },
    },
  );
});
