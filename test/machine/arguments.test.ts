// Every public function and method with values that it cannot take: it works, or throws a UsageError; never
// an error of the engine's.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as library from '../../src/index.js';
import { GeneralProtection, Machine, UsageError } from '../../src/index.js';
import * as timed from '../../src/timed-index.js';

/** Values of the wrong kind, or beside every range. */
const HOSTILE: readonly unknown[] = [
  undefined,
  null,
  true,
  'no',
  '1',
  '',
  '__proto__',
  'toString',
  Number.NaN,
  -1,
  0.5,
  Number.POSITIVE_INFINITY,
  2 ** 32,
  -(2 ** 31) - 1,
  2 ** 53,
  1e300,
  0n,
  -1n,
  1n << 64n,
  Symbol('s'),
  () => 1,
  [],
  [null],
  [-1],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what it tests
  [1, , 3],
  {},
  { unknown: 1 },
  Object.create(null),
  new Map([['sends', 1]]),
  new Set([1]),
  new Date(0),
  Promise.resolve(1),
  new ArrayBuffer(8),
  new Uint8Array(8),
  new BigInt64Array(2),
  /x/,
  new Error('x'),
  new Proxy({}, {}),
];

type Call = (...args: never[]) => unknown;
interface Subject {
  /** What to call, on a machine or run of its own. */
  on: () => Call;
  /** Arguments that it takes. */
  good: readonly unknown[];
}

const small = () => Machine.create({ cpus: 3, countVectors: true, model: 'amd' });
const bound = <T extends object>(make: () => T, name: keyof T): (() => Call) => {
  return () => {
    const subject = make();
    return (...args) => (subject[name] as Call).apply(subject, args);
  };
};
const setter = <T extends object>(make: () => T, name: keyof T): (() => Call) => {
  return () => {
    const subject = make();
    return (value) => {
      subject[name] = value;
    };
  };
};
const iterated = (call: Call): Call => {
  return (...args) => {
    for (const _ of (call as (...args: unknown[]) => Iterable<unknown>)(...args));
  };
};

const scenario = {
  name: 'small',
  summary: 'two CPUs',
  machine: { cpus: 2 },
  duration_ns: 1000,
  workloads: [{ cpus: '0', do: 'send_IPI', target: 1, think_ns: 100, loops: 2 }],
} as const;
const costs = timed.costSet('amd-epyc-x2apic');
const run = () => new timed.TimedRun(scenario as never, costs);
const result = run().run();
const wait = { wait_ns: 1, begin_ns: 1, cpu: 0, target: 1 };
const recorded = {
  ns: 1,
  cpu: 0,
  do: 'send',
  targets: [1],
  vector: 80,
  func: 'empty',
  wait: false,
};
const event = { ps: 1, cpu: 0, kind: 1, a: 0, b: 0, c: 0 };

/** Of a class: its methods with good arguments, and the properties that can be set. */
function methods<T extends object>(
  what: string,
  make: () => T,
  good: Partial<Record<keyof T, readonly unknown[]>>,
  set: Partial<Record<keyof T, unknown>> = {},
): [string, Subject][] {
  return [
    ...Object.entries(good).map(
      ([name, args]) =>
        [
          `${what}.${name}`,
          { on: bound(make, name as keyof T), good: args as readonly unknown[] },
        ] as [string, Subject],
    ),
    ...Object.entries(set).map(
      ([name, value]) =>
        [`${what}.${name} =`, { on: setter(make, name as keyof T), good: [value] }] as [
          string,
          Subject,
        ],
    ),
  ];
}

const SUBJECTS: readonly [string, Subject][] = [
  ['driversOf', { on: () => library.driversOf, good: ['linux-6.12', 4] }],
  ['topologyIds', { on: () => library.topologyIds, good: [{ sockets: 1, cores: 2, threads: 2 }] }],
  ['coreModule', { on: () => library.coreModule, good: [] }],
  ['Machine.create', { on: () => Machine.create, good: [{ cpus: 2 }] }],
  ['Machine.restore', { on: () => Machine.restore, good: [small().snapshot(), { gp: 'return' }] }],
  ['Machine.checkSnapshot', { on: () => Machine.checkSnapshot, good: [small().snapshot()] }],
  ...methods(
    'machine',
    small,
    {
      lapic: [1],
      cpu: [1],
      ioapic: [0],
      message: [{ dest: 1, vector: 80 }],
      signalMSI: [0xfee01000n, 80],
      advance: [10],
      powerOn: [],
      traceEffects: [true],
      takeEffects: [],
      writeICR: [0, 1, 80],
      takeWoken: [],
      runHandlers: [],
      storm: [{ sends: 10, slice: 5 }],
      counters: [1],
      vectorCounts: [1],
      senderCosts: [],
      snapshot: [],
      rollback: [small().snapshot()],
    },
    { onNews: () => {} },
  ),
  [
    'machine.stormSlices',
    {
      on: () => {
        const machine = small();
        return iterated((options) => machine.stormSlices(options));
      },
      good: [{ sends: 10 }],
    },
  ],
  ...methods('linux', () => small().linux, {
    sendIPI: [0, 1, 80],
    sendIPIMask: [0, [1, 2], 80],
    sendIPIMaskAllButSelf: [0, [1, 2], 80],
    sendIPIAllButSelf: [0, 80],
    sendIPIAll: [0, 80],
    sendIPISelf: [0, 80],
    smpSendReschedule: [0, 1],
    sendCallFuncSingleIpi: [0, 1],
    sendCallFuncIpi: [0, [1, 2]],
    irqWorkRaise: [0],
    send: ['send_IPI_mask', 0, [1], 80],
    record: [() => {}],
  }),
  ...methods(
    'lapic',
    () => small().lapic(1),
    {
      readMMIO: [0x20, 4],
      writeMMIO: [0x80, 0x10, 4],
      readMSR: [0x1b],
      writeMSR: [0x808, 0x10],
      readCR8: [],
      writeCR8: [3],
      setApicBase: [0xfee00800n],
      post: [80],
      syncPosted: [],
      offerLazyEoi: [],
      withdrawLazyEoi: [],
      useLazyEoi: [],
      setLINT: [0, true],
      localEvent: ['timer', true],
      inta: [],
      initReset: [],
      takeSIPI: [],
      powerOn: [],
      peek: [8],
      exportPage: [],
      importPage: [small().lapic(0).exportPage()],
      accept: [80, 'level'],
      acknowledge: [],
      acknowledgeVector: [80],
      eoi: [],
    },
    { tpr: 0x20 },
  ),
  ...methods(
    'cpu',
    () => small().cpu(1),
    { take: [], eoi: [], iret: [], shadow: [], halt: [] },
    { interruptFlag: true },
  ),
  ...methods('ioapic', () => small().ioapic(0), {
    read: [0],
    write: [0x10, 1],
    setIRQ: [3, true],
    entry: [3],
    setEntry: [3, 0x10031n],
  }),
  ...methods('pic', () => small().pic, {
    read: [0x21],
    write: [0x21, 0xff],
    setIRQ: [3, true],
    acknowledge: [],
    registers: [0],
  }),
  ['costSet', { on: () => timed.costSet, good: ['amd-epyc-x2apic'] }],
  ['costText', { on: () => timed.costText, good: ['amd-epyc-x2apic'] }],
  ['scenario', { on: () => timed.scenario, good: ['normal'] }],
  ['scenarioText', { on: () => timed.scenarioText, good: ['normal'] }],
  ['parseCommented', { on: () => timed.parseCommented, good: ['{}', 'mine'] }],
  ['checkScenario', { on: () => timed.checkScenario, good: [scenario] }],
  ['checkCosts', { on: () => timed.checkCosts, good: [costs] }],
  ['timedJson', { on: () => timed.timedJson, good: [result] }],
  ['kernelMessages', { on: () => timed.kernelMessages, good: [[event]] }],
  [
    'ramp',
    {
      on:
        () =>
        (...args: never[]) =>
          timed.ramp(...(args as unknown as Parameters<typeof timed.ramp>)).next(),
      good: [scenario, costs, { seed: 2 }],
    },
  ],
  [
    'new TimedRun',
    {
      on:
        () =>
        (...args: never[]) =>
          Reflect.construct(timed.TimedRun, args),
      good: [scenario, costs, { seed: 1 }],
    },
  ],
  [
    'new Why',
    {
      on:
        () =>
        (...args: never[]) =>
          (Reflect.construct(timed.Why, args) as timed.Why).run(),
      good: [scenario, costs, {}, wait, false],
    },
  ],
  [
    'new RecordedLoad',
    {
      on:
        () =>
        (...args: never[]) =>
          Reflect.construct(timed.RecordedLoad, args),
      good: [[recorded]],
    },
  ],
  ...methods('timedRun', run, {
    run: [],
    result: [],
    intendedOperations: [],
    cpuState: [1],
  }),
];

/** Calls it; anything but a UsageError and #GP is the caller's fault and not told so. */
function survives(what: string, call: Call, args: readonly unknown[]): void {
  try {
    call(...(args as never[]));
  } catch (error) {
    const clear = error instanceof UsageError || error instanceof GeneralProtection;
    if (clear) return;
    const shown = args.map((arg) => Object.prototype.toString.call(arg)).join(', ');
    throw new Error(`${what}(${shown}): ${(error as Error)?.stack}`);
  }
}

/** Every field of an object, and each of nested ones: the paths to replace. */
function paths(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    [key],
    ...paths(inner).map((rest) => [key, ...rest]),
  ]);
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const old = value as Record<string, unknown>;
  const copy = (Array.isArray(old) ? [...old] : { ...old }) as Record<string, unknown>;
  copy[key] = replaced(old[key], rest, by);
  return copy;
}

describe('hostile arguments', () => {
  it.each(SUBJECTS)(
    '%s works with good ones, and with no argument of the wrong kind ends in the engine',
    (what, { on, good }) => {
      expect(() => on()(...(good as never[]))).not.toThrow();
      for (let n = 0; n <= good.length; n++) {
        for (const bad of HOSTILE) {
          const args: unknown[] = [...good];
          args[n] = bad;
          survives(what, on(), args);
        }
        survives(what, on(), good.slice(0, n));
      }
    },
  );

  it('any mixture of good and hostile arguments ends well', () => {
    const subject = fc.constantFrom(...SUBJECTS);
    const picks = fc.array(fc.nat(HOSTILE.length * 2), { maxLength: 5 });
    fc.assert(
      fc.property(subject, picks, ([what, { on, good }], choice) => {
        const args = choice.map((n, i) => (n < HOSTILE.length ? HOSTILE[n] : good[i]));
        survives(what, on(), args);
      }),
      { numRuns: 3000 },
    );
  });

  it.each<[string, Call, readonly unknown[], number]>([
    ['Machine.create', Machine.create, [OPTIONS()], 0],
    ['storm', bound(small, 'storm')(), [STORM()], 0],
    ['message', bound(small, 'message')(), [MESSAGE()], 0],
    [
      'TimedRun',
      (...args) => Reflect.construct(timed.TimedRun, args),
      [scenario, costs, TIMED()],
      2,
    ],
    ['checkScenario', timed.checkScenario, [RICH()], 0],
    ['checkCosts', timed.checkCosts, [FEW()], 0],
    ['RecordedLoad', (...args) => Reflect.construct(timed.RecordedLoad, args), [[recorded]], 0],
    ['Why', (...args) => Reflect.construct(timed.Why, args), [scenario, costs, {}, wait, false], 3],
    ['timedJson', timed.timedJson, [{ ...result }], 0],
    ['kernelMessages', timed.kernelMessages, [[event]], 0],
  ])('each field of what %s takes', (what, call, args, at) => {
    expect(() => call(...(args as never[]))).not.toThrow();
    const shallow =
      what === 'timedJson' ? Object.keys(args[at] as object).map((key) => [key]) : paths(args[at]);
    for (const path of shallow) {
      for (const bad of HOSTILE) {
        if (path[0] === 'sends' && bad === 2 ** 32) continue; // good, and takes minutes
        const changed = args.map((arg, i) => (i === at ? replaced(arg, path, bad) : arg));
        survives(`${what} ${path.join('.')}`, call, changed);
      }
    }
  });
});

function OPTIONS(): object {
  return {
    model: 'sdm',
    start: 'enabled',
    isrSetAt: 'take',
    gp: 'throw',
    busMHz: 16.67,
    ioapics: [{ pins: 24, version: 0x20, id: 0 }],
    cpus: 4,
    mode: 'x2apic-physical',
    driver: 'x2apic_phys',
    era: 'linux-6.12',
    topology: { sockets: 1, cores: 2, threads: 2 },
    noIpiBroadcast: false,
    hotplugCpu: true,
    vendor: 'intel',
    countVectors: false,
  };
}

function STORM(): object {
  const pattern = { pattern: 'mask-strided', via: 'mask', size: 2, stride: 1, target: 0 };
  return { ...pattern, sends: 10, vectors: [80, 81], depth: 2, seed: 1, tpr: 0, slice: 5 };
}

function MESSAGE(): object {
  return { dest: 1, logical: false, delivery: 0, vector: 80, level: false };
}

function TIMED(): object {
  return {
    seed: 1,
    scheduler: 'heap',
    onEvents: () => {},
    eventsFromNs: 0,
    eventsUntilNs: 1000,
    eventsOf: { target: 1, waiter: 0 },
    sliceEvents: 10,
  };
}

function RICH(): object {
  return {
    ...scenario,
    machine: { topology: { sockets: 1, cores: 2, threads: 1 }, mode: 'x2apic-physical' },
    faults: [{ fault: 'drop', from: 0, nth: 1 }],
    csd: { timeout_ms: 1, panic_ms: 0 },
    workloads: [{ ...scenario.workloads[0], mix: [{ weight: 1, do: 'nothing' }] }],
  };
}

function FEW(): object {
  const { eoi, entry } = costs.costs;
  return { ...costs, costs: { eoi, entry } };
}

describe('the table above', () => {
  const names = new Set(SUBJECTS.map(([name]) => name));
  const machine = small();
  const objects = {
    machine,
    linux: machine.linux,
    lapic: machine.lapic(0),
    cpu: machine.cpu(0),
    ioapic: machine.ioapic(0),
    pic: machine.pic,
    timedRun: run(),
  };

  it('has every method with parameters, and every property that can be set', () => {
    const missing = Object.entries(objects).flatMap(([what, object]) => {
      const all = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(object));
      return Object.entries(all).flatMap(([name, { value, set }]) => [
        ...(name !== 'constructor' && value?.length > 0 ? [`${what}.${name}`] : []),
        ...(set ? [`${what}.${name} =`] : []),
      ]);
    });
    expect(missing.length).toBeGreaterThan(40);
    expect(missing.filter((name) => !names.has(name))).toEqual([]);
  });

  it('has every function that is exported', () => {
    const functions = Object.entries({ ...library, ...timed })
      .filter(([, value]) => typeof value === 'function' && !(value.prototype instanceof Error))
      .map(([name]) => name);
    const missing = functions.filter((name) => !names.has(name) && !names.has(`new ${name}`));
    expect(missing).toEqual(['Machine']); // whose methods are there
  });
});

describe('nothing is silently another thing', () => {
  const refused: [string, () => unknown, RegExp][] = [
    [
      'a misspelt option',
      () => create({ modle: 'kvm' }),
      /options: got "modle", .*did you mean mode/,
    ],
    [
      'a misspelt nested option',
      () => create({ topology: { sockets: 1, cores: 2, thread: 2 } }),
      /topology: got "thread", .*did you mean threads\?/,
    ],
    [
      'a misspelt field of an I/O APIC',
      () => create({ ioapics: [{ pins: 24, version: 32, id: 0, idd: 1 }] }),
      /ioapics\[0\]: got "idd"/,
    ],
    [
      'a misspelt storm option',
      () => storm({ send: 10 }),
      /options: got "send", .*did you mean sends\?/,
    ],
    [
      'a misspelt field of a message',
      () => small().message({ dst: 1, vector: 80 } as never),
      /did you mean dest\?/,
    ],
    [
      'a misspelt restore option',
      () => Machine.restore(small().snapshot(), { gb: 'throw' } as never),
      /did you mean gp\?/,
    ],
    [
      'a misspelt timed option',
      () => new timed.TimedRun(scenario as never, costs, { sead: 1 } as never),
      /did you mean seed\?/,
    ],
    ['a misspelt model', () => create({ model: 'kmv' }), /did you mean kvm\?/],
    ['a misspelt driver', () => create({ driver: 'x2apic_pyhs' }), /did you mean x2apic_phys\?/],
    ['a misspelt pattern', () => storm({ pattern: 'rnadom' }), /did you mean random\?/],
    [
      'a misspelt operation',
      () => small().linux.send('send_IP' as 'send_IPI', 0, [1], 80),
      /did you mean send_IPI\?/,
    ],
    [
      'a misspelt LVT entry',
      () =>
        small()
          .lapic(0)
          .localEvent('lint2' as 'lint1'),
      /did you mean lint0\?/,
    ],
    [
      'a misspelt trigger',
      () =>
        small()
          .lapic(0)
          .accept(80, 'lvl' as 'level'),
      /trigger: got "lvl"/,
    ],
    ['a misspelt scenario', () => timed.scenario('droped-icr'), /did you mean dropped-icr\?/],
    [
      'a misspelt cost set',
      () => timed.costSet('amd-epic-x2apic'),
      /did you mean amd-epyc-x2apic\?/,
    ],
    ['a Map for options', () => storm(new Map([['sends', 10]])), /options: got a Map/],
    ['a promise of options', () => storm(Promise.resolve({ sends: 10 })), /options: got a Promise/],
    ['null for an option', () => create({ era: null }), /era: got null/],
    ['a hole in ids', () => create({ apicIds: Array(2) }), /apicIds\[0\]: got undefined/],
    ['text for ids', () => create({ apicIds: '123' }), /apicIds: got "123", allowed an array/],
    ['a list for a name', () => create({ model: ['kvm'] }), /model: got an array of 1/],
    ['a BigInt count', () => storm({ sends: 10n }), /sends: got 10, .*a number, not a BigInt/],
    ['a fraction for a seed', () => storm({ seed: 1.5 }), /seed: got 1\.5/],
    ['a TPR of a CPU that is not', () => storm({ tpr: new Map([[9, 1]]) }), /tpr \(CPU\): got 9/],
    [
      'an ArrayBuffer for bytes',
      () => Machine.restore(small().snapshot().buffer as never),
      /new Uint8Array\(buffer\)/,
    ],
    [
      '2^64 in a redirection entry',
      () =>
        small()
          .ioapic()
          .setEntry(0, 1n << 64n),
      /value: got 18446744073709551616/,
    ],
    [
      'a level as text',
      () =>
        small()
          .ioapic()
          .setIRQ(1, 'low' as never),
      /high: got "low", allowed true, false/,
    ],
    [
      'text for a list of CPUs',
      () => small().linux.sendIPIMask(0, '12' as never, 80),
      /cpus: got "12"/,
    ],
    [
      'no CPU for one target',
      () => small().linux.send('send_IPI', 0, [], 80),
      /cpus: got "0 of them", allowed one CPU for send_IPI/,
    ],
    ['endless CPUs', () => small().linux.sendIPIMask(0, endless(), 80), /at most 65536/],
    ['an async record', () => small().linux.record(async () => {}), /async function/],
    [
      'new Machine()',
      () => Reflect.construct(Machine, [{ cpus: 2 }]),
      /Machine\.create\(options\)/,
    ],
    ['a module that is none', () => create({ module: null }), /module: got null/],
  ];
  it.each(refused)('%s is refused', (_, call, message) => {
    expect(call).toThrow(UsageError);
    expect(call).toThrow(message);
  });

  const create = (options: object) => Machine.create(options as never);
  const storm = (options: object) => small().storm(options as never);
  function* endless(): Generator<number> {
    while (true) yield 1;
  }

  it('a refused storm has changed nothing', () => {
    const machine = small();
    const before = machine.snapshot();
    expect(() =>
      machine.storm({
        tpr: new Map([
          [0, 8],
          [9, 1],
        ]),
      }),
    ).toThrow(UsageError);
    expect(machine.snapshot()).toEqual(before);
  });
});

describe('32-bit registers', () => {
  it('a negative int32 is its 32 bits; beyond 32 bits is refused', () => {
    const machine = Machine.create({ cpus: 2, mode: 'xapic-flat' });
    const lapic = machine.lapic(0);
    lapic.writeMMIO(0x310, 0xff << 24);
    expect(lapic.readMMIO(0x310)).toBe(0xff000000);
    lapic.writeMMIO(0x380, -1);
    expect(lapic.readMMIO(0x380)).toBe(0xffffffff);
    for (const value of [2 ** 32, -(2 ** 31) - 1, 0.5, Number.NaN, 1n]) {
      expect(() => lapic.writeMMIO(0x310, value as number)).toThrow(UsageError);
      expect(() => machine.ioapic().write(0x10, value as number)).toThrow(UsageError);
      expect(() => machine.writeICR(0, 0, value as number)).toThrow(UsageError);
      expect(() => machine.signalMSI(0xfee00000, value as number)).toThrow(UsageError);
    }
    expect(() => lapic.writeMMIO(0x80, 256, 1)).toThrow(/8 bits: an integer -128-255/);
  });

  it('as an I/O APIC, an ICR or an MSI address takes it', () => {
    const machine = Machine.create({ cpus: 2, mode: 'x2apic-physical' });
    machine.ioapic().write(0, 0x11);
    machine.ioapic().write(0x10, 0xf1 << 24);
    expect(machine.ioapic().read(0x10)).toBe(0xf1000000);
    machine.writeICR(0, 0xffffffff | 0, 0x51);
    expect(machine.takeWoken()).toEqual([0, 1]);
    expect(machine.signalMSI(0xfee00000 | (1 << 12), 0x52)).toBe(1);
    expect(machine.lapic(1).irr).toEqual([0x51, 0x52]);
    expect(() => machine.lapic(0).writeMSR(0x832, 0xff << 24)).toThrow(/x >>> 0/);
  });
});

describe('what is exported stays as it is', () => {
  it('configurations and tables are frozen, to their leaves', () => {
    const machine = Machine.create({ topology: { sockets: 1, cores: 2, threads: 1 } });
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    for (const value of [
      machine.config,
      run().config,
      library.CPU_LIMIT,
      library.DRIVER_MODES,
      library.MODEL_FLAGS,
      library.MODEL_NAMES,
      library.OPS,
      timed.COST_SETS,
      timed.SCENARIO_NAMES,
    ]) {
      expect(frozen(value)).toBe(true);
    }
    expect(() => Object.assign(machine.config, { cpus: 99 })).toThrow(TypeError);
    for (const [object, field] of [
      [machine, 'config'],
      [machine, 'linux'],
      [machine.lapic(1), 'cpu'],
      [machine.cpu(1), 'index'],
      [machine.ioapic(), 'pins'],
      [run(), 'config'],
    ] as const) {
      expect(() => Object.assign(object, { [field]: 99 }), field).toThrow(TypeError);
    }
    expect(() => machine.lapic(50)).toThrow(UsageError);
  });

  it('a configuration can be given again as options', () => {
    const { config } = Machine.create({ apicIds: [4, 2], model: 'kvm', ioapics: [] });
    expect(Machine.create(config).config).toEqual(config);
  });
});
