import {
  apics,
  BASE_MSR,
  flat,
  hex,
  MASKED,
  message,
  REG,
  read,
  sdm,
  take,
  topic,
  write,
  wrmsr,
  x2apic,
} from './helpers.mjs';

const MAP = sdm('Local APIC Register Address Map');

export default topic('mmio', 'The register page of xAPIC mode', (add) => {
  // Access size and alignment.
  for (const size of [1, 2]) {
    add(`narrow-read-${size}`, `A ${size}-byte read of a register does not read it.`, {
      source: MAP,
      config: flat([3]),
      given: [write(0, REG.tpr, 0x35)],
      when: [
        [read(0, REG.id, size), 0],
        [read(0, REG.tpr, size), 0, { kvm: 0x35 }],
      ],
    });
    add(`narrow-write-${size}`, `A ${size}-byte write to a register does not change it.`, {
      source: MAP,
      config: flat(1),
      given: [write(0, REG.tpr, 0x35)],
      when: [write(0, REG.tpr, 0x77, size), [read(0, REG.tpr), 0x35]],
    });
  }
  for (const shift of [1, 4, 8, 12]) {
    add(`unaligned-${shift}`, `Offset ${shift} inside a register's 16 bytes is not the register.`, {
      source: MAP,
      config: flat([3]),
      given: [write(0, REG.tpr, 0x35)],
      when: [
        [read(0, REG.id + shift), 0],
        write(0, REG.tpr + shift, 0x77),
        [read(0, REG.tpr), 0x35],
      ],
    });
  }
  // Where the page is absent.
  add('absent-x2apic', 'In x2APIC mode the register page is gone: reads give all ones.', {
    source: sdm('x2APIC Register Address Space'),
    config: x2apic(1),
    when: [
      [read(0, REG.version), 0xffffffff],
      [read(0, REG.id), 0xffffffff],
      write(0, REG.tpr, 0x55),
    ],
    state: apics({ tpr: 0 }),
    except: ['p6'],
  });
  add('absent-disabled', 'In a hardware-disabled APIC the register page is gone.', {
    source: sdm('Enabling or Disabling the Local APIC'),
    config: flat(1),
    given: [wrmsr(0, BASE_MSR, 'fee00100')],
    when: [
      [read(0, REG.version), 0xffffffff],
      [read(0, REG.id), 0xffffffff],
      write(0, REG.tpr, 0x55),
    ],
    state: apics({ tpr: 0 }),
  });

  // Read-only registers: a write is ignored, and is no error.
  const readOnly = (name, offset, value, models) =>
    add(`read-only-${hex(offset)}`, `A write to the ${name} register is ignored, without error.`, {
      source: `${MAP}, "Error Handling"`,
      config: flat(1),
      when: [
        write(0, offset, 0x5a5a5a5a),
        [read(0, offset), value, models],
        write(0, REG.esr, 0),
        [read(0, REG.esr), 0],
      ],
    });
  readOnly('version', REG.version, 0x01060015, {
    amd: 0x80050010,
    kvm: 0x50014,
    qemu: 0x50014,
    p6: 0x40011,
  });
  readOnly('arbitration priority', REG.apr, 0);
  readOnly('processor priority', REG.ppr, 0);
  readOnly('first in-service', REG.isr, 0);
  readOnly('last in-service', REG.isr + 0x70, 0);
  readOnly('first trigger mode', REG.tmr, 0);
  readOnly('last trigger mode', REG.tmr + 0x70, 0);
  readOnly('first interrupt request', REG.irr, 0);
  readOnly('last interrupt request', REG.irr + 0x70, 0);
  readOnly('current count', REG.currentCount, 0);
  add('write-only-eoi', 'A read of the EOI register gives 0, without error and without an EOI.', {
    source: `${MAP}, "Error Handling"`,
    config: flat(1),
    given: [message(0, 0x31), take(0)],
    when: [[read(0, REG.eoi), 0], write(0, REG.esr, 0), [read(0, REG.esr), 0]],
    state: apics({ isr: [0x31] }),
  });
  add('self-ipi', 'The SELF IPI register does not exist in xAPIC mode: a write sends nothing.', {
    source: sdm('SELF IPI Register'),
    config: flat(1),
    when: [write(0, REG.selfIpi, 0x31)],
    state: apics({ irr: [] }),
  });

  // Registers that are in no list.
  for (const offset of [0x00, 0x10, 0x40, 0x70, 0x290, 0x2e0, 0x3a0, 0x3d0]) {
    add(`reserved-read-${hex(offset)}`, `A read of the reserved offset 0x${hex(offset)} gives 0.`, {
      source: sdm('Error Handling'),
      config: flat(1),
      when: [[read(0, offset), 0], write(0, REG.esr, 0), [read(0, REG.esr), 0x80, { kvm: 0 }]],
    });
    add(
      `reserved-write-${hex(offset)}`,
      `A write to the reserved offset 0x${hex(offset)} is an illegal register address error.`,
      {
        source: sdm('Error Handling'),
        config: flat(1),
        when: [
          write(0, offset, 0xffffffff),
          write(0, REG.esr, 0),
          [read(0, REG.esr), 0x80, { kvm: 0 }],
        ],
      },
    );
  }
  add('absent-cmci', 'Without a CMCI entry its offset is a reserved register.', {
    source: `${sdm('Local Vector Table')}, "Local APIC Version Register"`,
    config: flat(1),
    when: [
      write(0, REG.cmci, 0x31),
      [read(0, REG.cmci), 0x31, { amd: 0, kvm: 0, qemu: 0, p6: 0 }],
      write(0, REG.esr, 0),
      [read(0, REG.esr), 0, { amd: 0x80, qemu: 0x80, p6: 0x80 }],
    ],
  });
  add('absent-thermal', 'Without a thermal sensor entry its offset is a reserved register.', {
    source: `${sdm('Local Vector Table')}: "implemented on Pentium 4 and later"`,
    config: flat(1),
    when: [
      write(0, REG.thermal, 0x31),
      [read(0, REG.thermal), 0x31, { p6: 0 }],
      write(0, REG.esr, 0),
      [read(0, REG.esr), 0, { p6: 0x80 }],
    ],
  });

  // Bits that can be written.
  const bits = (id, name, offset, written, result, models, source = MAP) =>
    add(`bits-${id}`, `Of 0x${hex(written >>> 0)} the ${name} register keeps 0x${hex(result)}.`, {
      source,
      config: flat(1),
      when: [write(0, offset, written), [read(0, offset), result, models]],
    });
  const ones = 0xffffffff;
  bits('id', 'id', REG.id, 0x5affffff, 0x5a000000, { p6: 0x0a000000 }, sdm('Local APIC ID'));
  bits('tpr', 'task priority', REG.tpr, ones, 0xff, undefined, sdm('Task Priority Register (TPR)'));
  const logical = sdm('Logical Destination Mode');
  bits('ldr', 'logical destination', REG.ldr, 0xa5ffffff, 0xa5000000, undefined, logical);
  bits('dfr-0', 'destination format', REG.dfr, 0, 0x0fffffff, undefined, logical);
  bits('dfr-1', 'destination format', REG.dfr, 0x50000000, 0x5fffffff, undefined, logical);
  const svr = sdm('Spurious Interrupt');
  const svrOnes = { amd: 0x3ff, kvm: 0x3ff, qemu: 0x1ff, p6: 0x3ff };
  bits('svr-ones', 'spurious-interrupt vector', REG.svr, ones, 0x11ff, svrOnes, svr);
  bits('svr-zero', 'spurious-interrupt vector', REG.svr, 0, 0, { p6: 0xf }, svr);
  bits('svr-low', 'spurious-interrupt vector', REG.svr, 0x1e5, 0x1e5, { p6: 0x1ef }, svr);
  bits(
    'icr-high',
    'interrupt command (high)',
    REG.icrHigh,
    ones,
    0xff000000,
    { qemu: ones },
    sdm('Interrupt Command Register (ICR)'),
  );
  // Delivery mode 3 with the shorthand all-excluding-self sends nothing on any model.
  bits(
    'icr-low',
    'interrupt command (low)',
    REG.icrLow,
    0xffffebff,
    0xccbff,
    { kvm: 0xffffebff, qemu: 0xffffebff },
    sdm('Interrupt Command Register (ICR)'),
  );
  const table = sdm('Local Vector Table');
  const raw = { qemu: ones };
  bits(
    'timer',
    'LVT timer',
    REG.timer,
    ones,
    0x700ff,
    { kvm: 0x710ff, ...raw, amd: 0x300ff, p6: 0x300ff },
    table,
  );
  bits(
    'thermal',
    'LVT thermal sensor',
    REG.thermal,
    ones,
    0x107ff,
    { ...raw, kvm: 0x117ff, p6: 0 },
    table,
  );
  bits('perf', 'LVT performance counter', REG.perf, ones, 0x107ff, { ...raw, kvm: 0x117ff }, table);
  bits('lint0', 'LVT LINT0', REG.lint0, ones, 0x1a7ff, { ...raw, kvm: 0x1f7ff }, table);
  bits('lint1', 'LVT LINT1', REG.lint1, ones, 0x1a7ff, { ...raw, kvm: 0x1f7ff }, table);
  bits('error', 'LVT error', REG.error, ones, 0x100ff, { ...raw, kvm: 0x110ff }, table);
  bits('cmci', 'LVT CMCI', REG.cmci, ones, 0x107ff, { amd: 0, kvm: 0, qemu: 0, p6: 0 }, table);
  const clock = sdm('APIC Timer');
  bits('initial-count', 'initial count', REG.initialCount, ones, ones, undefined, clock);
  bits('divide', 'divide configuration', REG.divide, ones, 0xb, undefined, clock);
  add('unmask', 'An LVT mask bit can be cleared and set while the APIC is enabled.', {
    source: table,
    config: flat(1),
    when: [
      write(0, REG.lint0, 0x31),
      [read(0, REG.lint0), 0x31],
      write(0, REG.lint0, 0x31 | MASKED),
      [read(0, REG.lint0), 0x10031],
    ],
  });
});
