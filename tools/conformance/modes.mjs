import {
  apics,
  BASE_MSR,
  cr8Read,
  cr8Write,
  flat,
  ipi,
  lint,
  message,
  physical,
  REG,
  rdmsr,
  read,
  sdm,
  take,
  topic,
  write,
  wrmsr,
  x2apic,
} from './helpers.mjs';

const STATES = sdm('x2APIC State Transitions');
const DISABLE = sdm('Enabling or Disabling the Local APIC');
const XAPIC = 'fee00900';
const X2APIC = 'fee00d00';
const DISABLED = 'fee00100';
const INVALID = 'fee00500';

export default topic('modes', 'IA32_APIC_BASE: xAPIC, x2APIC and disabled', (add) => {
  const base = (value) => wrmsr(0, BASE_MSR, value);
  // From, to, and whether it is legal. x2APIC rows do not exist on P6.
  for (const [from, to, legal] of [
    ['xapic', 'xapic', true],
    ['xapic', 'x2apic', true],
    ['xapic', 'disabled', true],
    ['xapic', 'invalid', false],
    ['x2apic', 'x2apic', true],
    ['x2apic', 'xapic', false],
    ['x2apic', 'disabled', true],
    ['x2apic', 'invalid', false],
    ['disabled', 'disabled', true],
    ['disabled', 'xapic', true],
    ['disabled', 'x2apic', false],
    ['disabled', 'invalid', false],
  ]) {
    const value = { xapic: XAPIC, x2apic: X2APIC, disabled: DISABLED, invalid: INVALID };
    const start = from === 'x2apic' ? x2apic(1) : flat(1);
    const noX2apic = to === 'x2apic' || to === 'invalid';
    add(
      `${from}-to-${to}`,
      legal
        ? `IA32_APIC_BASE can go from ${from} to ${to}.`
        : `IA32_APIC_BASE cannot go from ${from} to ${to}: #GP, and nothing changes.`,
      {
        source: STATES,
        config: start,
        given: from === 'disabled' ? [base(DISABLED)] : [],
        when: [
          [base(value[to]), legal ? 'ok' : 'GP', noX2apic && from !== 'x2apic' ? { p6: 'GP' } : {}],
          [
            rdmsr(0, BASE_MSR),
            value[legal ? to : from],
            noX2apic && from !== 'x2apic' ? { p6: value[from] } : {},
          ],
        ],
        ...(from === 'x2apic' && { except: ['p6'] }),
      },
    );
  }
  for (const [name, value] of [
    ['0', 'fee00901'],
    ['7', 'fee00980'],
    ['9', 'fee00b00'],
    ['36', '10fee00900'],
    ['63', '80000000fee00900'],
  ]) {
    add(`reserved-${name}`, `Bit ${name} of IA32_APIC_BASE is reserved (MAXPHYADDR is 36).`, {
      source: sdm('Local APIC Status and Location'),
      config: flat(1),
      when: [
        [base(value), 'GP'],
        [rdmsr(0, BASE_MSR), XAPIC],
      ],
    });
  }
  add(
    'reserved-32',
    'Bits 35:32 of IA32_APIC_BASE are address bits; QEMU takes the address below 4 GiB only.',
    {
      source: `${sdm('Local APIC Status and Location')}; QEMU MSR_IA32_APICBASE_RESERVED`,
      config: flat(1),
      when: [[base('1fee00900'), 'ok', { qemu: 'GP' }]],
    },
  );
  add(
    'written-id',
    'Moving the page leaves the written xAPIC id alone; QEMU brings the initial one back.',
    {
      source: `${sdm('Relocating the Local APIC Registers')}; QEMU cpu_set_apic_base()`,
      config: flat([2]),
      given: [write(0, REG.id, 0x09000000)],
      when: [base('fed00900'), [read(0, REG.id), 0x09000000, { qemu: 0x02000000 }]],
    },
  );
  add('bsp', 'The BSP flag of IA32_APIC_BASE cannot be changed.', {
    source: sdm('Local APIC Status and Location'),
    config: flat(2),
    when: [
      base('fee00800'),
      wrmsr(1, BASE_MSR, XAPIC),
      [rdmsr(0, BASE_MSR), XAPIC, { kvm: 'fee00800' }],
      [rdmsr(1, BASE_MSR), 'fee00800', { kvm: XAPIC }],
    ],
  });
  add('relocate', 'The register page can be moved anywhere below the physical address limit.', {
    source: sdm('Relocating the Local APIC Registers'),
    config: flat(1),
    when: [
      [base('ffffff900'), 'ok', { qemu: 'GP' }],
      [rdmsr(0, BASE_MSR), 'ffffff900', { qemu: XAPIC }],
      [read(0, REG.svr), 0x1ff],
    ],
  });

  // xAPIC to x2APIC.
  const x2 = (id, title, details) => add(id, title, { source: STATES, except: ['p6'], ...details });
  x2('x2apic-ids', 'Entering x2APIC mode replaces the written id and LDR by the x2APIC ones.', {
    config: physical([0x12]),
    given: [write(0, REG.id, 0x55000000), write(0, REG.ldr, 0x80000000)],
    when: [base(X2APIC), [rdmsr(0, 0x802), '12'], [rdmsr(0, 0x80d), '10004']],
    state: apics({ id: 0x12, ldr: 0x10004, dfr: 0xffffffff }),
  });
  x2('x2apic-icr', 'Entering x2APIC mode clears the high half of the ICR.', {
    config: physical(1),
    given: [write(0, REG.icrHigh, 0x07000000)],
    when: [base(X2APIC)],
    state: apics({ icr_high: 0 }),
    models: { qemu: { state: apics({ icr_high: 0x07000000 }) } },
  });
  x2('x2apic-keeps', 'Entering x2APIC mode keeps the other registers and what is pending.', {
    config: physical(1),
    given: [
      message(0, 0x61),
      take(0),
      message(0, 0x71),
      write(0, REG.tpr, 0x40),
      write(0, REG.lint1, 0x400),
    ],
    when: [base(X2APIC)],
    state: apics({ svr: 0x1ff, tpr: 0x40, isr: [0x61], irr: [0x71], lvt: { lint1: 0x400 } }),
  });
  x2('x2apic-returns', 'From x2APIC mode xAPIC mode is reached through disabled.', {
    config: x2apic([300]),
    when: [base(DISABLED), base(XAPIC), [read(0, REG.id), 44 * 0x1000000]],
    state: apics({ base: XAPIC }),
  });

  // Hardware disable.
  const off = [base(DISABLED)];
  add('disable-reset', 'An APIC enabled again after hardware disable is in its reset state.', {
    source: DISABLE,
    config: flat(1),
    given: [write(0, REG.tpr, 0x40), write(0, REG.lint1, 0x400)],
    when: [...off, base(XAPIC)],
    state: apics({ tpr: 0, svr: 0xff, ldr: 0, lvt: { lint1: 0x10000 } }),
    models: {
      kvm: { state: apics({ tpr: 0x40, svr: 0x1ff, ldr: 0x01000000, lvt: { lint1: 0x400 } }) },
      qemu: { state: apics({ tpr: 0x40, ldr: 0x01000000, lvt: { lint1: 0x400 } }) },
    },
  });
  add('disable-physical', 'A hardware-disabled APIC is addressed by nothing.', {
    source: DISABLE,
    config: flat(2),
    given: [wrmsr(1, BASE_MSR, 'fee00000')],
    when: [
      [message(1, 0x31), -1, { kvm: 0 }],
      [message(2, 0x31, { logical: true }), -1, { kvm: 0 }],
      [message(0xff, 0x31), 1],
      [message(1, 0, { delivery: 4 }), -1, { kvm: 0 }],
    ],
    state: { ...apics({ irr: [0x31] }, { irr: [], nmi: false }), unclaimed: 3 },
  });
  add('disable-ipi', 'A hardware-disabled APIC sends nothing.', {
    source: DISABLE,
    config: flat(2),
    given: off,
    when: ipi(0, 1, 0x31),
    state: apics({}, { irr: [] }),
  });
  add('disable-cr8', 'CR8 works while the APIC is hardware-disabled.', {
    source: sdm('Interaction of Task Priorities between CR8 and APIC'),
    config: flat(1),
    given: off,
    when: [cr8Write(0, 5), [cr8Read(0), 5], [cr8Write(0, 16), 'GP']],
  });
  add('disable-lint0', 'LINT0 of a hardware-disabled APIC is the INTR pin.', {
    source: DISABLE,
    config: flat(1),
    given: off,
    when: [lint(0, 0, true)],
    state: apics({ extint: true, irr: [] }),
  });
  add('disable-lint0-fall', 'The INTR pin of a hardware-disabled APIC is a level.', {
    source: DISABLE,
    config: flat(1),
    given: off,
    when: [lint(0, 0, true), lint(0, 0, false)],
    state: apics({ extint: false }),
  });
  add('disable-lint1', 'LINT1 of a hardware-disabled APIC is the NMI pin.', {
    source: DISABLE,
    config: flat(1),
    given: off,
    when: [lint(0, 1, true), [take(0), 'nmi']],
    state: apics({ nmi: false, handlers: ['nmi'], counters: { nmis: 1 } }),
  });
  add('disable-intr', 'A hardware-disabled APIC raises no interrupt for what was pending.', {
    source: DISABLE,
    config: flat(1),
    given: [message(0, 0x31)],
    when: [...off, [take(0), 'none']],
    state: apics({ intr: false }),
  });
  add('disable-tpr', 'What was written to CR8 while hardware-disabled is gone after enabling.', {
    source: DISABLE,
    config: flat(1),
    given: off,
    when: [cr8Write(0, 5), base(XAPIC), [cr8Read(0), 0, { kvm: 5, qemu: 5 }]],
  });
});
