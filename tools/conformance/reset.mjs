import {
  apics,
  BASE_MSR,
  cr8Read,
  entry,
  flat,
  hex,
  initReset,
  ioRead,
  ioReg,
  lint,
  machine,
  message,
  msrOf,
  NMI,
  picSetup,
  powerOn,
  REG,
  rdmsr,
  read,
  SMI,
  sdm,
  take,
  topic,
  write,
  wrmsr,
  x2apic,
} from './helpers.mjs';

const RESET = sdm('Local APIC State After Power-Up or Reset');
const INIT_RESET = sdm('Local APIC State After an INIT Reset ("Wait-for-SIPI" State)');

export default topic('reset', 'Register values after power-up, reset and INIT', (add) => {
  const value = (name, offset, result, models) =>
    add(`register-${hex(offset)}`, `After reset the ${name} register reads 0x${hex(result)}.`, {
      source: RESET,
      config: machine('reset'),
      when: [[read(0, offset), result, models]],
    });
  value('task priority', REG.tpr, 0);
  value('processor priority', REG.ppr, 0);
  value('logical destination', REG.ldr, 0);
  value('destination format', REG.dfr, 0xffffffff);
  value('spurious-interrupt vector', REG.svr, 0xff);
  value('error status', REG.esr, 0);
  value('interrupt command (low)', REG.icrLow, 0);
  value('interrupt command (high)', REG.icrHigh, 0);
  value('LVT timer', REG.timer, 0x10000);
  value('LVT performance counter', REG.perf, 0x10000);
  value('LVT LINT1', REG.lint1, 0x10000);
  value('LVT error', REG.error, 0x10000);
  value('initial count', REG.initialCount, 0);
  value('current count', REG.currentCount, 0);
  value('divide configuration', REG.divide, 0);
  // P6-family processors have no thermal sensor entry; only version 0x15's seven entries have CMCI.
  value('LVT thermal sensor', REG.thermal, 0x10000, { p6: 0 });
  value('LVT CMCI', REG.cmci, 0x10000, { amd: 0, kvm: 0, qemu: 0, p6: 0 });
  value('LVT LINT0', REG.lint0, 0x10000, { kvm: 0x700 });
  add('lint0-other', 'After reset LINT0 of a CPU that is not the boot processor is masked.', {
    source: RESET,
    config: machine('reset', 2),
    when: [[read(1, REG.lint0), 0x10000]],
  });
  add('version', 'The version register tells the version and the number of LVT entries.', {
    source: sdm('Local APIC Version Register'),
    config: machine('reset'),
    when: [
      [
        read(0, REG.version),
        0x01060015,
        { amd: 0x80050010, kvm: 0x50014, qemu: 0x50014, p6: 0x40011 },
      ],
    ],
  });
  for (const [name, offset] of [
    ['in-service', REG.isr],
    ['trigger mode', REG.tmr],
    ['interrupt request', REG.irr],
  ]) {
    add(`bitmap-${hex(offset)}`, `After reset all eight ${name} registers are 0.`, {
      source: RESET,
      config: machine('reset'),
      when: Array.from({ length: 8 }, (_, i) => [read(0, offset + 16 * i), 0]),
    });
  }
  add('base', 'After reset IA32_APIC_BASE is 0xfee00000, enabled, with BSP on CPU 0 only.', {
    source: sdm('Local APIC Status and Location'),
    config: machine('reset', 2),
    when: [
      [rdmsr(0, BASE_MSR), 'fee00900'],
      [rdmsr(1, BASE_MSR), 'fee00800'],
    ],
  });
  add('cr8', 'After reset CR8 is 0.', {
    source: sdm('Task Priority in IA-32e Mode'),
    config: machine('reset'),
    when: [[cr8Read(0), 0]],
  });
  add('wait-for-sipi', 'After reset the boot processor runs and the others wait for a SIPI.', {
    source: sdm('MP Initialization Protocol Algorithm'),
    config: machine('reset', 3),
    when: [
      [take(0), 'none'],
      [take(1), 'none'],
    ],
    state: apics({ waiting: false }, { waiting: true }, { waiting: true }),
  });
  add('disabled', 'After reset the local APIC is software-disabled and refuses an interrupt.', {
    source: RESET,
    config: machine('reset'),
    when: [[message(0, 0x31), 0, { qemu: 1 }]],
    state: apics({ irr: [] }),
    models: { qemu: { state: apics({ irr: [0x31] }) } },
  });
  const dirty = [
    write(0, REG.tpr, 0x20),
    write(0, REG.ldr, 0x44000000),
    write(0, REG.dfr, 0x0fffffff),
    write(0, REG.timer, 0x31),
    write(0, REG.lint0, 0x32),
    write(0, REG.lint1, 0x400),
    write(0, REG.error, 0x33),
    write(0, REG.divide, 0xb),
    write(0, REG.initialCount, 1000000),
    message(0, 0x41),
    message(0, 0x71),
  ];
  const clean = {
    tpr: 0,
    ppr: 0,
    ldr: 0,
    dfr: 0xffffffff,
    svr: 0xff,
    lvt: { timer: 0x10000, lint0: 0x10000, lint1: 0x10000, error: 0x10000 },
    initial_count: 0,
    current_count: 0,
    divide: 0,
    irr: [],
    isr: [],
    tmr: [],
  };
  const kvmLint0 = { kvm: { state: apics({ lvt: { lint0: 0x700 } }) } };
  add('power-on', 'Power-up returns every register to its reset value.', {
    source: RESET,
    config: flat(1),
    given: [...dirty, take(0), wrmsr(0, BASE_MSR, 'fed00900')],
    when: [powerOn()],
    state: apics({ ...clean, base: 'fee00900', handlers: [] }),
    models: kvmLint0,
  });
  add('power-on-id', 'Power-up restores the hardware id that software had overwritten.', {
    source: sdm('Local APIC ID'),
    config: flat([2]),
    given: [write(0, REG.id, 0x09000000)],
    when: [powerOn(), [read(0, REG.id), 0x02000000]],
  });
  add('power-on-x2apic', 'Power-up returns an APIC in x2APIC mode to xAPIC mode.', {
    source: sdm('x2APIC State Transitions'),
    config: x2apic([5]),
    when: [powerOn(), [rdmsr(0, BASE_MSR), 'fee00900'], [rdmsr(0, 0x802), 'GP']],
    state: apics({ id: 0x05000000, ldr: 0 }),
    except: ['p6'],
  });
  add('power-on-outside', 'Power-up resets the I/O APIC and the 8259s.', {
    source: '82093AA datasheet "Redirection Table Registers"; 8259A datasheet',
    config: flat(1),
    given: [...entry(3, 0x31, 1), ...ioReg(0, 0x05000000), ...picSetup({ primaryMask: 0xf0 })],
    when: [powerOn()],
    state: {
      ioapics: { 0: { entries: { 3: '10000' } } },
      pics: { 0: { irr: 0, isr: 0, imr: 0 }, 1: { irr: 0, isr: 0, imr: 0 } },
      pic_output: false,
    },
  });
  add('init', 'INIT returns every register but the id to its reset value.', {
    source: INIT_RESET,
    config: flat(1),
    given: [...dirty, take(0)],
    when: [initReset(0)],
    state: apics({ ...clean, handlers: [], interrupt_flag: false }),
    models: kvmLint0,
  });
  add('init-id', 'INIT keeps the id that software wrote and IA32_APIC_BASE.', {
    source: INIT_RESET,
    config: flat([2]),
    given: [wrmsr(0, BASE_MSR, 'fed00900'), write(0, REG.id, 0x09000000)],
    when: [initReset(0), [read(0, REG.id), 0x09000000], [rdmsr(0, BASE_MSR), 'fed00900']],
  });
  add('init-x2apic', 'INIT keeps x2APIC mode, the x2APIC id and the derived LDR.', {
    source: sdm('x2APIC State Transitions'),
    config: x2apic([0x25]),
    given: [wrmsr(0, msrOf(REG.tpr), 0x40)],
    when: [
      initReset(0),
      [rdmsr(0, BASE_MSR), 'fee00d00'],
      [rdmsr(0, 0x802), '25'],
      [rdmsr(0, 0x80d), '20020'],
      [rdmsr(0, 0x808), '0'],
      [rdmsr(0, 0x80f), 'ff'],
    ],
    except: ['p6'],
  });
  add('init-pending', 'INIT discards what is pending and what is in service.', {
    source: INIT_RESET,
    config: flat(2),
    given: [message(1, 0x31), take(1), message(1, 0x81), message(1, 0x91)],
    when: [initReset(1)],
    state: apics(
      {},
      {
        irr: [],
        isr: [],
        waiting: true,
        handlers: [],
        counters: { attempted: 3, delivered: 1, discarded: 2 },
      },
    ),
  });
  add('init-latches', 'INIT discards a pending NMI and SMI.', {
    source: INIT_RESET,
    config: flat(2),
    given: [message(1, 0, { delivery: NMI }), message(1, 0, { delivery: SMI })],
    when: [initReset(1)],
    state: apics({}, { nmi: false, smi: false, init: false, extint: false }),
  });
  add('init-bsp', 'INIT makes an application processor wait for a SIPI, not the boot processor.', {
    source: INIT_RESET,
    config: flat(2),
    when: [initReset(0), initReset(1)],
    state: apics({ waiting: false }, { waiting: true }),
  });
  add('init-mask', 'INIT masks LINT1, so a rise of the pin is not an NMI any more.', {
    source: INIT_RESET,
    config: flat(1),
    given: [write(0, REG.lint1, 0x400)],
    when: [initReset(0), lint(0, 1, true)],
    state: apics({ nmi: false }),
  });
  for (const [version, pins] of [
    [0x20, 24],
    [0x11, 24],
    [0x20, 120],
  ]) {
    add(
      `ioapic-version-${hex(version)}-${pins}`,
      `The version register of an I/O APIC of version 0x${hex(version)} tells its ${pins} pins.`,
      {
        source: '82093AA datasheet "IOAPICVER"',
        config: machine('reset', 1, { ioapics: [{ pins, version, id: 0 }] }),
        given: ioReg(1, 0).slice(0, 1),
        when: [[ioRead(0x10), version | ((pins - 1) << 16)]],
      },
    );
  }
  add('ioapic-entries', 'After reset every redirection entry is masked and 0 otherwise.', {
    source: '82093AA datasheet "Redirection Table Registers"',
    config: machine('reset', 1, { ioapics: [{ pins: 4, version: 0x11, id: 3 }] }),
    when: [[ioRead(0), 0]],
    state: {
      ioapics: { 0: { id: 3, entries: { 0: '10000', 1: '10000', 2: '10000', 3: '10000' } } },
    },
  });
});
