// The local APIC timer on a 1 GHz clock.
import {
  advance,
  apics,
  DEADLINE,
  DEADLINE_MSR,
  flat,
  MASKED,
  PERIODIC,
  REG,
  rdmsr,
  read,
  sdm,
  topic,
  write,
  wrmsr,
} from './helpers.mjs';

const TIMER = sdm('APIC Timer');
const TSC = sdm('TSC-Deadline Mode');
const by1 = write(0, REG.divide, 0xb);
const oneShot = write(0, REG.timer, 0x31);
const periodic = write(0, REG.timer, PERIODIC | 0x31);
const count = (value) => write(0, REG.initialCount, value);

export default topic('timer', 'Timer: one-shot, periodic, TSC deadline', (add) => {
  for (const [value, divider] of [
    [0x0, 2],
    [0x1, 4],
    [0x2, 8],
    [0x3, 16],
    [0x8, 32],
    [0x9, 64],
    [0xa, 128],
    [0xb, 1],
  ]) {
    add(
      `divide-${divider}`,
      `Divide configuration ${value.toString(16)} divides by ${divider}: fires after count x ${divider} ns, not before.`,
      {
        source: TIMER,
        config: flat(1),
        given: [write(0, REG.divide, value), oneShot, count(100), advance(100 * divider - 1)],
        when: [[read(0, REG.currentCount), 1], advance(1), [read(0, REG.currentCount), 0]],
        state: apics({ irr: [0x31], counters: { attempted: 1 } }),
      },
    );
  }
  add('one-shot', 'One-shot fires once.', {
    source: TIMER,
    config: flat(1),
    given: [by1, oneShot, count(100)],
    when: [advance(1000)],
    state: apics({ irr: [0x31], initial_count: 100, current_count: 0, counters: { attempted: 1 } }),
  });
  add('periodic', 'Periodic fires again and again; while pending they merge.', {
    source: TIMER,
    config: flat(1),
    given: [by1, periodic, count(100)],
    when: [advance(350), [read(0, REG.currentCount), 50]],
    state: apics({ irr: [0x31], counters: { attempted: 3, coalesced: 2 } }),
    models: { 'p6-vector': apics({ counters: { attempted: 3, coalesced: 0, rejected: 2 } }) },
  });
  add('zero-stops', 'An initial count of 0 stops it.', {
    source: TIMER,
    config: flat(1),
    given: [by1, periodic, count(100), advance(50)],
    when: [count(0), advance(1000)],
    state: apics({ irr: [], current_count: 0 }),
  });
  add('restart', 'A new initial count starts over.', {
    source: TIMER,
    config: flat(1),
    given: [by1, oneShot, count(100), advance(90)],
    when: [count(100), advance(99), [read(0, REG.currentCount), 1]],
    state: apics({ irr: [] }),
  });
  add('masked-counts', 'A masked timer counts and delivers nothing.', {
    source: TIMER,
    config: flat(1),
    given: [by1, write(0, REG.timer, MASKED | 0x31), count(100)],
    when: [advance(60), [read(0, REG.currentCount), 40], advance(60)],
    state: apics({ irr: [], current_count: 0 }),
  });
  add('mode-change', 'Changing between one-shot and periodic lets the count go on.', {
    source: TIMER,
    config: flat(1),
    given: [by1, oneShot, count(100), advance(40)],
    when: [
      periodic,
      [read(0, REG.currentCount), 60],
      advance(60),
      [read(0, REG.currentCount), 100],
    ],
    state: apics({ irr: [0x31] }),
  });
  add('divide-change', 'Changing the divider while counting keeps the ticks that are left.', {
    source: TIMER,
    config: flat(1),
    given: [by1, oneShot, count(100), advance(40)],
    when: [
      write(0, REG.divide, 0),
      [read(0, REG.currentCount), 60],
      advance(119),
      [read(0, REG.currentCount), 1],
    ],
  });
  add('deadline', 'TSC deadline fires at its time and reads 0 then.', {
    source: TSC,
    config: flat(1),
    given: [write(0, REG.timer, DEADLINE | 0x31), wrmsr(0, DEADLINE_MSR, 500)],
    when: [
      advance(499),
      [rdmsr(0, DEADLINE_MSR), '1f4'],
      advance(1),
      [rdmsr(0, DEADLINE_MSR), '0'],
    ],
    state: apics({ irr: [0x31] }),
    only: ['sdm', 'kvm'],
  });
  add('deadline-past', 'A deadline that has passed fires at once.', {
    source: TSC,
    config: flat(1),
    given: [write(0, REG.timer, DEADLINE | 0x31), advance(1000)],
    when: [wrmsr(0, DEADLINE_MSR, 999)],
    state: apics({ irr: [0x31], deadline: '0' }),
    only: ['sdm', 'kvm'],
  });
  add('deadline-zero', 'A deadline of 0 disarms.', {
    source: TSC,
    config: flat(1),
    given: [write(0, REG.timer, DEADLINE | 0x31), wrmsr(0, DEADLINE_MSR, 500)],
    when: [wrmsr(0, DEADLINE_MSR, 0), advance(1000)],
    state: apics({ irr: [] }),
    only: ['sdm', 'kvm'],
  });
  add('deadline-other-mode', 'The deadline register ignores writes in other modes.', {
    source: TSC,
    config: flat(1),
    given: [oneShot],
    when: [wrmsr(0, DEADLINE_MSR, 500), [rdmsr(0, DEADLINE_MSR), '0'], advance(1000)],
    state: apics({ irr: [] }),
    only: ['sdm', 'kvm'],
  });
  add(
    'deadline-count',
    'The initial count is ignored in deadline mode, and the current count reads 0.',
    {
      source: TSC,
      config: flat(1),
      given: [write(0, REG.timer, DEADLINE | 0x31)],
      when: [
        count(100),
        advance(200),
        [read(0, REG.currentCount), 0],
        [read(0, REG.initialCount), 0],
      ],
      state: apics({ irr: [] }),
      only: ['sdm', 'kvm'],
    },
  );
  add('deadline-leave', 'Leaving deadline mode disarms.', {
    source: TSC,
    config: flat(1),
    given: [write(0, REG.timer, DEADLINE | 0x31), wrmsr(0, DEADLINE_MSR, 500)],
    when: [oneShot, advance(1000)],
    state: apics({ irr: [], deadline: '0' }),
    only: ['sdm', 'kvm'],
  });
  add('deadline-absent', 'Without TSC-deadline mode its register is #GP.', {
    source: TSC,
    config: flat(1),
    when: [
      [rdmsr(0, DEADLINE_MSR), 'GP'],
      [wrmsr(0, DEADLINE_MSR, 500), 'GP'],
    ],
    except: ['sdm', 'kvm'],
  });
});
