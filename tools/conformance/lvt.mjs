// Local events, LINT pins.
import {
  ACTIVE_LOW,
  acknowledge,
  apics,
  eoi,
  flat,
  LEVEL,
  lint,
  local,
  MASKED,
  REG,
  read,
  sdm,
  take,
  topic,
  write,
} from './helpers.mjs';

const LVT = sdm('Local Vector Table');

export default topic('lvt', 'Local vector table and LINT pins', (add) => {
  for (const [mode, name, field] of [
    [0, 'fixed', { irr: [0x31] }],
    [0x200, 'SMI', { smi: true }],
    [0x400, 'NMI', { nmi: true }],
    [0x500, 'INIT', { init: true }],
  ]) {
    add(`lint1-${name.toLowerCase()}`, `LINT1 as ${name}: one at each rise, none at the fall.`, {
      source: LVT,
      config: flat(1),
      given: [write(0, REG.lint1, mode | 0x31)],
      when: [lint(0, 1, true), lint(0, 1, false)],
      state: apics(field),
    });
    add(`perf-${name.toLowerCase()}`, `A performance counter as ${name}.`, {
      source: LVT,
      config: flat(1),
      given: [write(0, REG.perf, mode | 0x31)],
      when: [local(0, 'perf')],
      state: apics(field),
    });
  }
  add('masked', 'A masked entry delivers nothing, and does not remember.', {
    source: LVT,
    config: flat(1),
    given: [write(0, REG.lint1, MASKED | 0x31), lint(0, 1, true)],
    when: [write(0, REG.lint1, 0x31)],
    state: apics({ irr: [] }),
  });
  add('perf-masks-itself', 'A performance-counter interrupt sets its own mask.', {
    source: LVT,
    config: flat(1),
    given: [write(0, REG.perf, 0x31)],
    when: [local(0, 'perf'), [read(0, REG.perf), MASKED | 0x31, { amd: 0x31, qemu: 0x31 }]],
  });
  add('thermal', 'The thermal sensor has an entry on later processors.', {
    source: LVT,
    config: flat(1),
    given: [write(0, REG.thermal, 0x31)],
    when: [local(0, 'thermal')],
    state: apics({ irr: [0x31] }),
    models: { p6: apics({ irr: [] }) },
  });
  add('cmci', 'CMCI has an entry where the version register says so.', {
    source: LVT,
    config: flat(1),
    given: [write(0, REG.cmci, 0x31)],
    when: [local(0, 'cmci')],
    state: apics({ irr: [0x31] }),
    models: Object.fromEntries(
      ['amd', 'kvm', 'qemu', 'p6'].map((model) => [model, apics({ irr: [] })]),
    ),
  });
  add('level', 'A level LINT pin is served once until its EOI.', {
    source: LVT,
    config: flat(1),
    given: [write(0, REG.lint0, LEVEL | 0x51)],
    when: [
      lint(0, 0, true),
      [acknowledge(0), 'vector 81'],
      lint(0, 0, false),
      lint(0, 0, true),
      [eoi(0), 'matched 81'],
    ],
    state: apics({ irr: [0x51], tmr: [0x51], lvt: { lint0: LEVEL | 0x4000 | 0x51 } }),
    models: {
      kvm: apics({ irr: [0x51], lvt: { lint0: LEVEL | 0x51 } }),
      qemu: apics({ irr: [0x51], lvt: { lint0: LEVEL | 0x51 } }),
    },
    except: ['p6-vector'],
  });
  add('level-lowered', 'A level pin that falls before the EOI is not served again.', {
    source: LVT,
    config: flat(1),
    given: [write(0, REG.lint0, LEVEL | 0x51), lint(0, 0, true), acknowledge(0), lint(0, 0, false)],
    when: [[eoi(0), 'matched 81']],
    state: apics({ irr: [], lvt: { lint0: LEVEL | 0x51 } }),
  });
  add(
    'level-fall-pending',
    'A level request stays pending when its pin falls; QEMU takes it back.',
    {
      source: `${LVT}; QEMU apic_deliver_pic_intr()`,
      config: flat(1),
      given: [write(0, REG.lint0, LEVEL | 0x51), lint(0, 0, true)],
      when: [lint(0, 0, false)],
      state: apics({ irr: [0x51] }),
      models: { qemu: apics({ irr: [], counters: { discarded: 1 } }) },
    },
  );
  add('active-low', 'An active-low level pin is served while it is low.', {
    source: LVT,
    config: flat(1),
    given: [lint(0, 1, true), write(0, REG.lint1, LEVEL | ACTIVE_LOW | 0x51)],
    when: [lint(0, 1, false)],
    state: apics({ irr: [0x51] }),
    except: ['kvm', 'qemu'],
  });
  add('extint-level', 'ExtINT follows the pin: it goes when the pin falls.', {
    source: LVT,
    config: flat(1),
    given: [write(0, REG.lint0, 0x700), lint(0, 0, true)],
    when: [lint(0, 0, false), [take(0), 'none']],
    state: apics({ extint: false }),
  });
  add('extint-no-isr', 'ExtINT sets neither IRR nor ISR.', {
    source: LVT,
    config: flat(1),
    given: [write(0, REG.lint0, 0x700), lint(0, 0, true)],
    when: [[take(0), 'extint 7']],
    state: apics({ irr: [], isr: [], counters: { attempted: 0 } }),
  });
  add('illegal-vector', 'A local interrupt with an illegal vector is a receive error.', {
    source: sdm('Error Handling'),
    config: flat(1),
    given: [write(0, REG.lint1, 0x05), lint(0, 1, true)],
    when: [write(0, REG.esr, 0), [read(0, REG.esr), 0x40, { kvm: 0, qemu: 0 }]],
    state: apics({ irr: [] }),
    models: { kvm: apics({ irr: [5] }), qemu: apics({ irr: [5] }) },
  });
});
