// What the generators of the conformance table share: one line per operation, and the shape of a case.
// Expectations are stated by the generators; nothing here computes what hardware does.

export const P6 = ['p6-class', 'p6-vector'];
export const MODELS = ['sdm', 'amd', 'kvm', 'qemu', ...P6];

/** Byte offsets of the xAPIC register page; the MSR of an x2APIC register is 0x800 + offset / 16. */
export const REG = {
  id: 0x20,
  version: 0x30,
  tpr: 0x80,
  apr: 0x90,
  ppr: 0xa0,
  eoi: 0xb0,
  ldr: 0xd0,
  dfr: 0xe0,
  svr: 0xf0,
  isr: 0x100,
  tmr: 0x180,
  irr: 0x200,
  esr: 0x280,
  cmci: 0x2f0,
  icrLow: 0x300,
  icrHigh: 0x310,
  timer: 0x320,
  thermal: 0x330,
  perf: 0x340,
  lint0: 0x350,
  lint1: 0x360,
  error: 0x370,
  initialCount: 0x380,
  currentCount: 0x390,
  divide: 0x3e0,
  selfIpi: 0x3f0,
};
export const BASE_MSR = 0x1b;
export const DEADLINE_MSR = 0x6e0;
/** x2APIC MSR of a register. */
export const msrOf = (offset) => 0x800 + offset / 16;

export const FIXED = 0;
export const LOWEST = 1;
export const SMI = 2;
export const NMI = 4;
export const INIT = 5;
export const SIPI = 6;
export const DELIVERY_NAMES = [
  'fixed',
  'lowest-priority',
  'SMI',
  'reserved-mode',
  'NMI',
  'INIT',
  'start-up',
  'ExtINT',
];
export const SELF = 1;
export const ALL = 2;
export const OTHERS = 3;

export const MASKED = 0x10000;
export const LEVEL = 0x8000;
export const ACTIVE_LOW = 0x2000;
export const PERIODIC = 0x20000;
export const DEADLINE = 0x40000;

export const hex = (value) => value.toString(16);
export const hex2 = (value) => `0x${value.toString(16).padStart(2, '0')}`;
export const sdm = (section) => `SDM 3A "${section}"`;

// Operations.
export const rdmsr = (cpu, msr) => ({ op: 'rdmsr', cpu, msr });
export const wrmsr = (cpu, msr, value) => ({
  op: 'wrmsr',
  cpu,
  msr,
  value: typeof value === 'string' ? value : value.toString(16),
});
export const read = (cpu, offset, size) => ({
  op: 'mmio_read',
  cpu,
  offset,
  ...(size && { size }),
});
export const write = (cpu, offset, value, size) => ({
  op: 'mmio_write',
  cpu,
  offset,
  value: value >>> 0,
  ...(size && { size }),
});
export const cr8Read = (cpu) => ({ op: 'cr8_read', cpu });
export const cr8Write = (cpu, value) => ({ op: 'cr8_write', cpu, value });
export const message = (dest, vector, extra = {}) => ({
  op: 'message',
  dest,
  logical: false,
  delivery: FIXED,
  vector,
  level: false,
  ...extra,
});
export const msi = (address, data) => ({ op: 'msi', address: hex(address), data });
export const lint = (cpu, pin, high) => ({ op: 'lint', cpu, pin, high });
export const local = (cpu, lvt) => ({ op: 'local', cpu, lvt });
export const irq = (pin, high, ioapic = 0) => ({ op: 'irq', ioapic, pin, high });
export const picIrq = (line, high) => ({ op: 'pic_irq', line, high });
export const picRead = (port) => ({ op: 'pic_read', port });
export const picWrite = (port, value) => ({ op: 'pic_write', port, value });
export const acknowledge = (cpu) => ({ op: 'acknowledge', cpu });
export const initReset = (cpu) => ({ op: 'init_reset', cpu });
export const powerOn = () => ({ op: 'power_on' });
export const take = (cpu) => ({ op: 'take', cpu });
export const eoi = (cpu) => ({ op: 'eoi', cpu });
export const iret = (cpu) => ({ op: 'iret', cpu });
export const setIf = (cpu, value) => ({ op: 'set_if', cpu, value });
export const shadow = (cpu) => ({ op: 'shadow', cpu });
export const advance = (ns) => ({ op: 'advance', ns });

/** ICR low half. */
export const icr = (vector, { delivery = 0, logical, level, assert = true, shorthand = 0 } = {}) =>
  vector |
  (delivery << 8) |
  (logical ? 0x800 : 0) |
  (assert ? 0x4000 : 0) |
  (level ? 0x8000 : 0) |
  (shorthand << 18);
/** An IPI in xAPIC mode: ICR high, then ICR low, which sends. */
export const ipi = (cpu, dest, vector, options) => [
  write(cpu, REG.icrHigh, dest * 0x1000000),
  write(cpu, REG.icrLow, icr(vector, options)),
];
/** An IPI with a shorthand in xAPIC mode. */
export const shorthandIpi = (cpu, shorthand, vector, options) =>
  write(cpu, REG.icrLow, icr(vector, { ...options, shorthand }));
export const selfIpi = (cpu, vector) => shorthandIpi(cpu, SELF, vector);
/** An IPI in x2APIC mode: one 64-bit write. */
export const x2ipi = (cpu, dest, vector, options) =>
  wrmsr(cpu, 0x830, ((BigInt(dest) << 32n) | BigInt(icr(vector, options))).toString(16));

/** I/O APIC registers through IOREGSEL and IOWIN. */
export const ioRead = (offset, ioapic = 0) => ({ op: 'ioapic_read', ioapic, offset });
export const ioWrite = (offset, value, ioapic = 0) => ({
  op: 'ioapic_write',
  ioapic,
  offset,
  value: value >>> 0,
});
export const ioReg = (register, value, ioapic = 0) => [
  ioWrite(0, register, ioapic),
  ioWrite(0x10, value, ioapic),
];
/** Writes a redirection entry: high half first, as software does. */
export const entry = (pin, low, dest = 0, ioapic = 0) => [
  ...ioReg(0x11 + 2 * pin, dest * 0x1000000, ioapic),
  ...ioReg(0x10 + 2 * pin, low, ioapic),
];
/** How a redirection entry reads: 64 bits as hex. */
export const entryHex = (low, dest = 0) => ((BigInt(dest) << 56n) | BigInt(low)).toString(16);
export const REMOTE_IRR = 0x4000;

/** Usual initialisation of the pair of 8259s: vectors from 0x20 and 0x28, nothing masked. */
export const picSetup = ({ icw4 = 1, primaryMask = 0, secondaryMask = 0 } = {}) => [
  picWrite(0x20, 0x11),
  picWrite(0x21, 0x20),
  picWrite(0x21, 0x04),
  picWrite(0x21, icw4),
  picWrite(0xa0, 0x11),
  picWrite(0xa1, 0x28),
  picWrite(0xa1, 0x02),
  picWrite(0xa1, 0x01),
  picWrite(0x21, primaryMask),
  picWrite(0xa1, secondaryMask),
];

/** Configurations. */
export const machine = (start, cpus = 1, extra = {}) => ({
  apicIds: typeof cpus === 'number' ? Array.from({ length: cpus }, (_, i) => i) : cpus,
  start,
  ...extra,
});
export const flat = (cpus, extra) => machine('xapic-flat', cpus, extra);
export const cluster = (cpus, extra) => machine('xapic-cluster', cpus, extra);
export const physical = (cpus, extra) => machine('xapic-physical', cpus, extra);
export const x2apic = (cpus, extra) => machine('x2apic', cpus, extra);

/** `apics` of an expected state: fields of CPU 0, 1, ... */
export const apics = (...fields) => ({ apics: { ...fields } });
/** Only `cpus` of `count` have `vector` in IRR. */
export const irrOnly = (count, cpus, vector) => ({
  apics: Object.fromEntries(
    Array.from({ length: count }, (_, i) => [i, { irr: cpus.includes(i) ? [vector] : [] }]),
  ),
});

const expand = (names) => names?.flatMap((name) => (name === 'p6' ? P6 : [name]));
const expandKeys = (record = {}) =>
  Object.fromEntries(
    Object.entries(record).flatMap(([name, value]) =>
      expand([name]).map((model) => [model, value]),
    ),
  );

/**
 * A case. `when` lists operations; one alone is expected to give 'ok', [operation, result] another
 * result, [operation, result, {model: result}] different ones. 'p6' stands for both P6 models.
 */
function makeCase(topic, [id, title, details]) {
  const { source, config, given = [], when, state = {}, models = {}, only, except } = details;
  const steps = when.flatMap(normalize);
  const stateOf = expandKeys(models);
  const differing = new Set([
    ...Object.keys(stateOf),
    ...steps.flatMap((step) => Object.keys(step.models)),
  ]);
  const results = steps.map((step) => step.result);
  const perModel = MODELS.filter((model) => differing.has(model)).map((model) => {
    const own = steps.map((step) => step.models[model] ?? step.result);
    const differs = own.some((result, i) => result !== results[i]);
    return [
      model,
      {
        ...(differs && { results: own }),
        ...(stateOf[model] && { state: stateOf[model].state ?? stateOf[model] }),
      },
    ];
  });
  return {
    id: `${topic}/${id}`,
    title,
    source,
    config,
    given: given.flat(3),
    when: steps.map((step) => step.operation),
    // biome-ignore lint/suspicious/noThenProperty: the file format's word for the expectation
    then: { results, state },
    ...(perModel.length > 0 && { models: Object.fromEntries(perModel) }),
    ...(only && { only: expand(only) }),
    ...(except && { except: expand(except) }),
  };
}

/** A step, a list of operations that give 'ok', or a list of steps. */
function normalize(step) {
  if (step.op) return [{ operation: step, result: 'ok', models: {} }];
  const [operation, result, models] = step;
  const isList = Array.isArray(operation) || result === undefined || result.op !== undefined;
  if (isList || Array.isArray(result)) return step.flatMap(normalize);
  return [{ operation, result, models: expandKeys(models) }];
}

/** A topic: `define` calls add(id, title, details) for each case. */
export function topic(name, description, define) {
  const cases = [];
  define((id, title, details) => cases.push(makeCase(name, [id, title, details])));
  return { topic: name, description, cases };
}
