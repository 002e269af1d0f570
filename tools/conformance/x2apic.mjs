import {
  apics,
  BASE_MSR,
  flat,
  hex,
  message,
  msrOf,
  REG,
  rdmsr,
  sdm,
  take,
  topic,
  wrmsr,
  x2apic,
} from './helpers.mjs';

const SPACE = sdm('x2APIC Register Address Space');
const CHECKING = sdm('Reserved Bit Checking');
/** Writes of undefined low bits: AMD checks as Intel does; KVM and QEMU ignore them. */
const IGNORED = { kvm: 'ok', qemu: 'ok' };

export default topic('x2apic', 'The MSRs of x2APIC mode: #GP, reserved bits', (add) => {
  const x2 = (id, title, details) =>
    add(id, title, { source: CHECKING, config: x2apic(1), except: ['p6'], ...details });

  // Outside x2APIC mode.
  for (const [mode, base] of [
    ['xAPIC', undefined],
    ['disabled', 'fee00100'],
  ]) {
    add(`msr-${mode.toLowerCase()}`, `In ${mode} mode the x2APIC MSRs raise #GP.`, {
      source: SPACE,
      config: flat(1),
      given: base ? [wrmsr(0, BASE_MSR, base)] : [],
      when: [
        [rdmsr(0, 0x802), 'GP'],
        [rdmsr(0, 0x808), 'GP'],
        [wrmsr(0, 0x808, 0x20), 'GP'],
        [wrmsr(0, 0x80b, 0), 'GP'],
        [wrmsr(0, 0x83f, 0x31), 'GP'],
      ],
      state: apics({ tpr: 0, irr: [] }),
    });
  }

  // MSRs that do not exist.
  const absent = [0x800, 0x801, 0x804, 0x805, 0x806, 0x807, 0x829, 0x82e, 0x83a, 0x83d];
  x2('absent-read', 'A read of an MSR without a register raises #GP.', {
    source: SPACE,
    when: [...absent, 0x840, 0x853, 0x8ff].map((msr) => [rdmsr(0, msr), 'GP']),
  });
  x2('absent-write', 'A write to an MSR without a register raises #GP.', {
    source: SPACE,
    when: [...absent, 0x840, 0x853, 0x8ff].map((msr) => [wrmsr(0, msr, 0), 'GP']),
  });
  x2('dfr', 'The destination format register does not exist in x2APIC mode.', {
    source: SPACE,
    when: [
      [rdmsr(0, 0x80e), 'GP'],
      [wrmsr(0, 0x80e, 'ffffffff'), 'GP'],
    ],
  });
  x2('apr', 'The arbitration priority register does not exist in x2APIC mode.', {
    source: SPACE,
    when: [
      [rdmsr(0, 0x809), 'GP', { qemu: '0' }],
      [wrmsr(0, 0x809, 0), 'GP', { qemu: 'ok' }],
    ],
  });
  x2('icr-high', 'The high half of the ICR has no MSR of its own.', {
    source: SPACE,
    when: [
      [rdmsr(0, 0x831), 'GP', { qemu: '0' }],
      [wrmsr(0, 0x831, 0), 'GP'],
    ],
  });
  x2('esr-unaffected', 'In x2APIC mode an absent register is #GP, not an ESR bit.', {
    source: `${sdm('Error Handling')}, "Error Handling in x2APIC Mode"`,
    when: [
      [rdmsr(0, 0x804), 'GP'],
      [wrmsr(0, 0x804, 0), 'GP'],
      wrmsr(0, 0x828, 0),
      [rdmsr(0, 0x828), '0', { qemu: '80' }],
    ],
  });

  // Read-only and write-only.
  for (const [name, msr, models] of [
    ['id', 0x802],
    ['version', 0x803, { qemu: 'ok' }],
    ['processor priority', 0x80a, { qemu: 'ok' }],
    ['logical destination', 0x80d],
    ['first in-service', 0x810, { qemu: 'ok' }],
    ['last in-service', 0x817, { qemu: 'ok' }],
    ['trigger mode', 0x818, { qemu: 'ok' }],
    ['interrupt request', 0x820, { qemu: 'ok' }],
    ['current count', 0x839, { qemu: 'ok' }],
  ]) {
    x2(`read-only-${hex(msr)}`, `A write to the ${name} register raises #GP.`, {
      source: SPACE,
      when: [[wrmsr(0, msr, 0), 'GP', models]],
    });
  }
  x2('write-only-eoi', 'A read of the EOI register raises #GP.', {
    source: SPACE,
    when: [[rdmsr(0, 0x80b), 'GP', { qemu: '0' }]],
  });
  x2('write-only-self-ipi', 'A read of the SELF IPI register raises #GP.', {
    source: sdm('SELF IPI Register'),
    when: [[rdmsr(0, 0x83f), 'GP']],
  });

  // Reserved bits, register by register.
  const reserved = (id, name, msr, value, models, after, more = {}) =>
    x2(`reserved-${id}`, `Writing 0x${value} to the ${name} register raises #GP.`, {
      when: [[wrmsr(0, msr, value), 'GP', models]],
      ...(after && {
        state: apics(after.state),
        models: Object.fromEntries(
          Object.entries(after.models ?? {}).map(([m, state]) => [m, { state: apics(state) }]),
        ),
      }),
      ...more,
    });
  reserved('tpr-8', 'task priority', 0x808, '120', IGNORED, {
    state: { tpr: 0 },
    models: { kvm: { tpr: 0x20 }, qemu: { tpr: 0x20 } },
  });
  reserved('tpr-31', 'task priority', 0x808, '80000020', IGNORED, {
    state: { tpr: 0 },
    models: { kvm: { tpr: 0x20 }, qemu: { tpr: 0x20 } },
  });
  reserved(
    'svr-9',
    'spurious-interrupt vector',
    0x80f,
    '3ff',
    { amd: 'ok', ...IGNORED },
    {
      state: { svr: 0x1ff },
      models: { amd: { svr: 0x3ff }, kvm: { svr: 0x3ff } },
    },
  );
  reserved('svr-10', 'spurious-interrupt vector', 0x80f, '5fe', IGNORED, {
    state: { svr: 0x1ff },
    models: { kvm: { svr: 0x1fe }, qemu: { svr: 0x1fe } },
  });
  reserved('esr', 'error status', 0x828, '1', { qemu: 'ok' });
  for (const [id, name, msr, value] of [
    ['timer-12', 'LVT timer', 0x832, 0x11031],
    ['timer-19', 'LVT timer', 0x832, 0x90031],
    ['thermal-11', 'LVT thermal sensor', 0x833, 0x10831],
    ['thermal-17', 'LVT thermal sensor', 0x833, 0x30031],
    ['perf-13', 'LVT performance counter', 0x834, 0x12031],
    ['perf-15', 'LVT performance counter', 0x834, 0x18031],
    ['lint0-14', 'LVT LINT0', 0x835, 0x14031],
    ['lint0-12', 'LVT LINT0', 0x835, 0x11031],
    ['lint1-11', 'LVT LINT1', 0x836, 0x10831],
    ['lint1-17', 'LVT LINT1', 0x836, 0x30031],
    ['error-8', 'LVT error', 0x837, 0x10131],
    ['error-12', 'LVT error', 0x837, 0x11031],
  ]) {
    reserved(id, name, msr, hex(value), IGNORED);
  }
  reserved('timer-18', 'LVT timer (no TSC-deadline mode)', 0x832, '50031', undefined, undefined, {
    only: ['amd'],
    except: undefined,
  });
  x2('reserved-cmci-17', 'Writing 0x30031 to the LVT CMCI register raises #GP.', {
    when: [[wrmsr(0, 0x82f, '30031'), 'GP']],
  });
  for (const bit of [2, 4, 31]) {
    const value = 2 ** bit + 1;
    reserved(`divide-${bit}`, 'divide configuration', 0x83e, hex(value), IGNORED, {
      state: { divide: 0 },
      models: { kvm: { divide: 1 }, qemu: { divide: 1 } },
    });
  }
  reserved(
    'self-ipi',
    'SELF IPI',
    0x83f,
    '131',
    { qemu: 'ok' },
    {
      state: { irr: [] },
      models: { qemu: { irr: [0x31] } },
    },
  );
  x2('reserved-eoi', 'A non-zero EOI raises #GP and does not end the interrupt.', {
    source: sdm('x2APIC Register Address Space'),
    given: [message(0, 0x31), take(0)],
    when: [[wrmsr(0, 0x80b, 1), 'GP', IGNORED]],
    state: apics({ isr: [0x31] }),
    models: { kvm: { state: apics({ isr: [] }) }, qemu: { state: apics({ isr: [] }) } },
  });
  // The ICR: shorthand self, vector 0x31, plus one reserved bit.
  for (const bit of [13, 16, 17, 20, 25, 31]) {
    const value = 0x44031 + 2 ** bit;
    reserved(
      `icr-${bit}`,
      'interrupt command',
      0x830,
      hex(value),
      { qemu: 'ok' },
      {
        state: { irr: [] },
        models: { qemu: { irr: [0x31] } },
      },
    );
  }
  x2('icr-12', 'The delivery status bit of the ICR is ignored, except by AMD.', {
    source: `${sdm('ICR Operation in x2APIC Mode')}; AMD APM 2 "x2APIC Interrupt Command Register"`,
    when: [[wrmsr(0, 0x830, '45031'), 'ok', { amd: 'GP' }]],
    state: apics({ irr: [0x31] }),
    models: { amd: { state: apics({ irr: [] }) } },
  });
  x2('icr-modes', 'A reserved delivery mode in the ICR is not a reserved bit: no #GP.', {
    source: sdm('ICR Operation in x2APIC Mode'),
    when: [wrmsr(0, 0x830, '700004331'), wrmsr(0, 0x830, '700004731')],
    state: apics({ irr: [] }),
  });
  // The high half of every register but the ICR.
  for (const [name, msr, value] of [
    ['task priority', 0x808, '100000020'],
    ['EOI', 0x80b, '100000000'],
    ['spurious-interrupt vector', 0x80f, '1000001ff'],
    ['error status', 0x828, '100000000'],
    ['LVT timer', 0x832, '100010031'],
    ['LVT LINT0', 0x835, '8000000000010031'],
    ['initial count', 0x838, '100000000'],
    ['divide configuration', 0x83e, '100000000'],
    ['SELF IPI', 0x83f, '100000031'],
  ]) {
    x2(`high-${hex(msr)}`, `Bits 63:32 of the ${name} register are reserved.`, {
      when: [[wrmsr(0, msr, value), 'GP', { qemu: 'ok' }]],
    });
  }

  // What can be written.
  for (const [name, msr, value] of [
    ['task priority', 0x808, 'ff'],
    ['spurious-interrupt vector', 0x80f, '1ff'],
    ['LVT timer', 0x832, '300ff'],
    ['LVT thermal sensor', 0x833, '107ff'],
    ['LVT performance counter', 0x834, '107ff'],
    ['LVT LINT0', 0x835, '1a7ff'],
    ['LVT LINT1', 0x836, '1a7ff'],
    ['LVT error', 0x837, '100ff'],
    ['initial count', 0x838, 'ffffffff'],
    ['divide configuration', 0x83e, 'b'],
  ]) {
    x2(`defined-${hex(msr)}`, `Every defined bit of the ${name} register can be written.`, {
      source: SPACE,
      when: [wrmsr(0, msr, value), [rdmsr(0, msr), value]],
    });
  }
  x2('suppress', 'EOI-broadcast suppression (SVR bit 12) can be set where the version has it.', {
    source: sdm('Spurious Interrupt'),
    when: [[wrmsr(0, 0x80f, '11ff'), 'ok', { amd: 'GP' }]],
    state: apics({ svr: 0x11ff }),
    models: {
      amd: { state: apics({ svr: 0x1ff }) },
      kvm: { state: apics({ svr: 0x1ff }) },
      qemu: { state: apics({ svr: 0x1ff }) },
    },
  });
  x2('icr-read', 'The ICR reads back as 64 bits.', {
    source: sdm('ICR Operation in x2APIC Mode'),
    when: [
      wrmsr(0, msrOf(REG.icrLow), '123400004031'),
      [rdmsr(0, 0x830), '123400004031', { qemu: '4031' }],
    ],
  });
  x2('bitmaps', 'IRR and ISR are read through eight MSRs each.', {
    source: SPACE,
    given: [message(0, 0xf1), take(0), message(0, 0x42)],
    when: [
      [rdmsr(0, 0x817), '20000'],
      [rdmsr(0, 0x810), '0'],
      [rdmsr(0, 0x822), '4'],
      [rdmsr(0, 0x820), '0'],
    ],
  });
});
