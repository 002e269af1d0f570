// Software disable with interrupts pending, in service, and on their way.
import {
  acknowledge,
  apics,
  eoi,
  flat,
  MASKED,
  message,
  REG,
  read,
  sdm,
  topic,
  write,
} from './helpers.mjs';

const DISABLED = sdm('Local APIC State After It Has Been Software Disabled');
const off = write(0, REG.svr, 0xff);
const on = write(0, REG.svr, 0x1ff);
const to0 = (vector, extra) => message(0, vector, extra);

export default topic('disable', 'Software disable (SVR bit 8)', (add) => {
  add('new-refused', 'A fixed interrupt that arrives while disabled is refused; QEMU keeps it.', {
    source: DISABLED,
    config: flat(1),
    given: [off],
    when: [[to0(0x31), 0, { qemu: 1 }]],
    state: apics({ irr: [], counters: { attempted: 1, rejected: 1 } }),
    models: { qemu: apics({ irr: [0x31], counters: { rejected: 0 } }) },
  });
  add(
    'pending-held',
    'What was pending is held, and comes after the APIC is enabled again; KVM still delivers it.',
    {
      source: DISABLED,
      config: flat(1),
      given: [to0(0x31), off],
      when: [
        [acknowledge(0), 'none', { kvm: 'vector 49' }],
        on,
        [acknowledge(0), 'vector 49', { kvm: 'none' }],
      ],
      state: apics({ irr: [] }),
    },
  );
  add('in-service', 'What is in service can be ended while disabled.', {
    source: DISABLED,
    config: flat(1),
    given: [to0(0x31), acknowledge(0), off],
    when: [[eoi(0), 'matched 49']],
    state: apics({ isr: [] }),
  });
  for (const [delivery, field] of [
    [2, { smi: true }],
    [4, { nmi: true }],
    [5, { init: true }],
    [7, { extint: true }],
  ]) {
    add(
      `delivery-${delivery}`,
      `Delivery mode ${delivery} passes a software-disabled local APIC.`,
      {
        source: DISABLED,
        config: flat(1),
        given: [off],
        when: [[to0(0x31, { delivery }), 1, delivery === 7 ? { kvm: 0 } : {}]],
        state: apics(field),
        ...(delivery === 7 && {
          models: { kvm: apics({ extint: false }), qemu: apics({ extint: false, irr: [0x31] }) },
        }),
      },
    );
  }
  for (const [name, offset, value] of [
    ['timer', REG.timer, 0x31],
    ['lint0', REG.lint0, 0x700],
    ['lint1', REG.lint1, 0x400],
    ['error', REG.error, 0xfe],
    ['perf', REG.perf, 0x400],
  ]) {
    add(`masks-${name}`, `Disabling masks the ${name} entry, and software cannot unmask it.`, {
      source: DISABLED,
      config: flat(1),
      given: [write(0, offset, value)],
      when: [
        off,
        [read(0, offset), value | MASKED, { qemu: value }],
        write(0, offset, value),
        [read(0, offset), value | MASKED, { qemu: value }],
      ],
    });
    add(`stays-${name}`, `Enabling again leaves the ${name} entry masked.`, {
      source: DISABLED,
      config: flat(1),
      given: [write(0, offset, value), off],
      when: [on, [read(0, offset), value | MASKED, { qemu: value }]],
    });
  }
  add('registers-kept', 'Disabling changes no other register.', {
    source: DISABLED,
    config: flat(1),
    given: [write(0, REG.tpr, 0x20), to0(0x41, { level: true }), acknowledge(0), to0(0x51)],
    when: [off],
    state: apics({ tpr: 0x20, isr: [0x41], irr: [0x51], tmr: [0x41], ldr: 0x01000000 }),
  });
});
