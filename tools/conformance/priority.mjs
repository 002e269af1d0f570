// What may interrupt what.
import {
  acknowledge,
  apics,
  cr8Write,
  eoi,
  flat,
  hex2,
  message,
  REG,
  read,
  sdm,
  setIf,
  take,
  topic,
  write,
} from './helpers.mjs';

const PRIORITY = sdm('Task and Processor Priorities');

export default topic('priority', 'Priority classes, TPR and PPR', (add) => {
  for (const [first, second] of [
    [0x31, 0x35],
    [0x35, 0x31],
    [0x30, 0x3f],
    [0xe0, 0xef],
  ]) {
    add(
      `same-class-${first.toString(16)}-${second.toString(16)}`,
      `${hex2(second)} does not interrupt ${hex2(first)}: only a higher class does.`,
      {
        source: PRIORITY,
        config: flat(1),
        given: [
          message(1, first, { logical: true }),
          acknowledge(0),
          message(1, second, { logical: true }),
        ],
        when: [
          [acknowledge(0), 'spurious 255', { kvm: 'none' }],
          [eoi(0), `matched ${first}`],
          [acknowledge(0), `vector ${second}`],
        ],
        state: apics({ isr: [second] }),
      },
    );
  }
  for (const [first, second] of [
    [0x31, 0x41],
    [0x3f, 0x40],
    [0x10, 0xff],
    [0x7f, 0x80],
  ]) {
    add(
      `higher-class-${first.toString(16)}-${second.toString(16)}`,
      `${hex2(second)} interrupts ${hex2(first)}; both are in service then.`,
      {
        source: PRIORITY,
        config: flat(1),
        given: [message(1, first, { logical: true }), acknowledge(0)],
        when: [
          [message(1, second, { logical: true }), 1],
          [acknowledge(0), `vector ${second}`],
        ],
        state: apics({ isr: [first, second], ppr: second & 0xf0 }),
      },
    );
  }
  add('order', 'Pending vectors are dispatched from the highest down.', {
    source: PRIORITY,
    config: flat(1),
    given: [0x31, 0xff, 0x80, 0x7f].map((vector) => message(1, vector, { logical: true })),
    when: [0xff, 0x80, 0x7f, 0x31].flatMap((vector) => [
      [acknowledge(0), `vector ${vector}`],
      [eoi(0), `matched ${vector}`],
    ]),
  });
  for (const [tpr, vector, passes] of [
    [0x20, 0x20, false],
    [0x20, 0x2f, false],
    [0x20, 0x30, true],
    [0x2f, 0x30, true],
    [0x0f, 0x10, true],
    [0x10, 0x1f, false],
    [0xf0, 0xff, false],
    [0xef, 0xf0, true],
  ]) {
    add(
      `tpr-${tpr.toString(16)}-${vector.toString(16)}`,
      `TPR ${hex2(tpr)} ${passes ? 'lets' : 'does not let'} vector ${hex2(vector)} pass.`,
      {
        source: PRIORITY,
        config: flat(1),
        given: [write(0, REG.tpr, tpr)],
        when: [[message(1, vector, { logical: true }), 1]],
        state: apics({ intr: passes, irr: [vector], ppr: tpr }),
      },
    );
  }
  add('tpr-lowered', 'Lowering the TPR lets a pending vector pass at once.', {
    source: PRIORITY,
    config: flat(1),
    given: [write(0, REG.tpr, 0x50), message(1, 0x41, { logical: true })],
    when: [cr8Write(0, 3), [take(0), 'vector 65']],
  });
  for (const [tpr, serving, ppr] of [
    [0, 0, 0],
    [0x35, 0, 0x35],
    [0x35, 0x41, 0x40],
    [0x45, 0x41, 0x45],
    [0x40, 0x4f, 0x40],
    [0x55, 0x41, 0x55],
  ]) {
    add(
      `ppr-${tpr.toString(16)}-${serving.toString(16)}`,
      `TPR ${hex2(tpr)} with ${serving ? hex2(serving) : 'nothing'} in service makes PPR ${hex2(ppr)}.`,
      {
        source: PRIORITY,
        config: flat(1),
        given: [
          ...(serving ? [message(1, serving, { logical: true }), acknowledge(0)] : []),
          write(0, REG.tpr, tpr),
        ],
        when: [[read(0, REG.ppr), ppr]],
      },
    );
  }
  add('if', 'A CPU with IF clear takes nothing; the request stays.', {
    source: sdm('Masking Maskable Hardware Interrupts'),
    config: flat(1),
    given: [setIf(0, false), message(1, 0x31, { logical: true })],
    when: [[take(0), 'none'], setIf(0, true), [take(0), 'vector 49']],
    state: apics({ interrupt_flag: false, handlers: ['vector 49'] }),
  });
});
