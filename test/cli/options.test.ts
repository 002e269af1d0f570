// Every command with hostile values for every option that it declares: told or taken, never a crash.
import { describe, expect, it } from 'vitest';
import { COMPARE } from '../../src/cli/compare.js';
import { ICR } from '../../src/cli/icr.js';
import { COSTS, SCENARIOS } from '../../src/cli/library.js';
import { MODELS } from '../../src/cli/models.js';
import { type CommandSpec, parseCommand } from '../../src/cli/options.js';
import { RAMP } from '../../src/cli/ramp.js';
import { REPLAY } from '../../src/cli/replay.js';
import { RUN } from '../../src/cli/run.js';
import { STORM } from '../../src/cli/storm.js';
import { VERIFY } from '../../src/cli/verify.js';
import { run } from './run.js';

const FIXTURES = new URL('../fixtures/', import.meta.url).pathname;

interface Case {
  name: string;
  spec: CommandSpec;
  argument: string[];
  /** Makes it quick; left out where the option under test contradicts it. */
  quick: Record<string, string>;
  /** Values that are good, and take seconds or wait for standard input. */
  slow?: readonly string[];
}

/** A dash is standard input. */
const STDIN = ['--costs -', ' -'];

const CASES: Case[] = [
  { name: 'icr', spec: ICR, argument: [], quick: {} },
  {
    name: 'compare',
    spec: COMPARE,
    argument: [],
    quick: { rounds: '3', sizes: '2', drivers: 'x2apic_phys', eras: 'linux-6.12', cpus: '4' },
    slow: ['--rounds 1e3', '--drivers  ', ' --'],
  },
  { name: 'storm', spec: STORM, argument: [], quick: { sends: '10', cpus: '4' } },
  { name: 'run', spec: RUN, argument: ['irqs-off'], quick: { duration: '10us' }, slow: STDIN },
  { name: 'ramp', spec: RAMP, argument: ['no-such-scenario'], quick: {}, slow: STDIN },
  {
    name: 'replay',
    spec: REPLAY,
    argument: [`${FIXTURES}traces/none.txt`],
    quick: {},
    slow: STDIN,
  },
  {
    name: 'verify',
    spec: VERIFY,
    argument: [`${FIXTURES}recordings/none.txt`],
    quick: {},
    slow: STDIN,
  },
  { name: 'models', spec: MODELS, argument: [], quick: {} },
  { name: 'costs', spec: COSTS, argument: [], quick: {} },
  { name: 'scenarios', spec: SCENARIOS, argument: [], quick: {} },
];

const HOSTILE = [
  ...['', ' ', '-', '-1', '--', '0', '1.5', '1e3', '1e400', '0x', '0x1g', '1_', '_1', '1__0'],
  ...['∞', 'NaN', 'Infinity', '99999999999999999999999', '18446744073709551616', '5-', '-5', '3-1'],
  ...[',', '1,,2', '1-2-3', '=', 'a=b', '__proto__', 'constructor', 'toString', '../..', '/'],
  ...['a\0b', 'a\x1b[31mb', 'a\x9bb', 'a\nb', '\u202eabc', 'é', '1:2:3', ':', 'x'.repeat(5000)],
  ...['1x1x1x1', 'xx', '1e300s', '0ns-1e300s', '[', '{"a":', '"'],
];

/** Any of these would be a number that nobody meant, or an error without its words. */
const CRASH = /TypeError|undefined|is not a function|Cannot |\n\s+at |NaN(?!")/;

function command(test: Case, option: string, value?: string): string[] {
  const kept = Object.entries(test.quick).filter(([key]) => key !== option && !clash(option, key));
  const quick = kept.flatMap(([key, text]) => [`--${key}`, text]);
  const own = value === undefined ? [`--${option}`] : [`--${option}`, value];
  return [test.name, ...test.argument, ...quick, ...own];
}

const clash = (a: string, b: string) => b === 'cpus' && (a === 'topology' || a === 'apic-ids');

describe.each(CASES)('ipistorm $name', (test) => {
  const options = Object.entries(test.spec.options).filter(([, { output }]) => !output);

  it('hostile values: exit 2 with what, got and allowed, or taken', async () => {
    for (const [option, { value }] of options) {
      for (const hostile of value ? HOSTILE : []) {
        if (test.slow?.includes(`--${option} ${hostile}`)) continue;
        if (option === 'costs' && hostile === '-') continue; // standard input, which is open here
        const { status, stderr } = await run(...command(test, option, hostile));
        const label = `${test.name} --${option} ${JSON.stringify(hostile.slice(0, 30))}: ${stderr.slice(0, 300)}`;
        if (status !== 0 && status !== 2) expect.fail(`exit ${status}: ${label}`);
        if (status === 2 && !/: got .*, allowed /s.test(stderr)) expect.fail(label);
        if (CRASH.test(stderr.replaceAll(/got "[^"]*"/g, ''))) expect.fail(label);
        if (/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/.test(stderr)) expect.fail(`raw: ${label}`);
      }
    }
  }, 60_000);

  it('hostile arguments: the same', async () => {
    for (const hostile of HOSTILE) {
      if (test.slow?.includes(` ${hostile}`)) continue;
      if (hostile === '-' && test.argument.length > 0) continue; // standard input, which is open here
      const { status, stdout, stderr } = await run(test.name, hostile);
      const label = `${test.name} ${JSON.stringify(hostile.slice(0, 30))}: ${stderr.slice(0, 300)}`;
      // "--" alone ends the options.
      if (hostile === '--' && status === 0) continue;
      if (status !== 2 && !(status === 3 && test.name === 'replay')) expect.fail(label);
      if (/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/.test(stdout + stderr)) expect.fail(`raw: ${label}`);
    }
  }, 60_000);

  const parse = (...args: string[]) => parseCommand(test.name, test.spec, args);

  it('twice, without a value, or with one too many: refused', () => {
    const argument = test.argument;
    for (const [option, { value }] of Object.entries(test.spec.options)) {
      const one = value ? [`--${option}`, '1'] : [`--${option}`];
      expect(() => parse(...argument, ...one, ...one)).toThrow(`--${option}: got it twice`);
      if (value) {
        expect(() => parse(...argument, `--${option}`)).toThrow(`--${option}: got no value`);
        expect(() => parse(...argument, `--${option}`, ...one)).toThrow('got no value');
        if (!test.spec.options[option]!.empty)
          expect(() => parse(...argument, `--${option}=`)).toThrow(`--${option}: got ""`);
      } else expect(() => parse(...argument, `--${option}=1`)).toThrow(/got "1", allowed no value/);
      if (option.length > 4)
        expect(() => parse(...argument, `--${option}x`)).toThrow(`did you mean --${option}?`);
    }
    expect(() => parse(...argument, '-q')).toThrow(/option: got "-q"/);
    expect(() => parse(...argument, 'a\0')).toThrow(/allowed text without NUL/);
  });

  it('two output formats are refused, both named', () => {
    const formats = test.spec.formats ?? [];
    for (const a of formats)
      for (const b of formats.filter((other) => other !== a)) {
        const args = [a, b].flatMap((name) =>
          test.spec.options[name]!.value ? [`--${name}`, 'json'] : [`--${name}`],
        );
        expect(() => parse(...test.argument, ...args)).toThrow(/--\w+: got it with --\w+/);
      }
  });
});

describe('names that nearly are', () => {
  it.each([
    [['storm', '--preset', 'hot-targt'], 'did you mean hot-target?'],
    [['storm', '--pattern', 'randm'], 'did you mean random?'],
    [['models', 'kwm'], 'did you mean kvm?'],
    [['verify', 'x', '--model', 'quemu'], 'did you mean qemu?'],
    [['icr', '--op', 'cal_many'], 'did you mean call_many?'],
    [['icr', '--mode', 'x2apic-clustr'], 'did you mean x2apic-cluster?'],
    [['run', 'normal', '--scheduler', 'heep'], 'did you mean heap?'],
    [['scenarios', 'norml'], 'did you mean normal?'],
    [['costs', 'kvm-avik'], 'did you mean kvm-avic?'],
    [['help', 'strom'], 'did you mean storm?'],
  ])('%j', async (args, hint) => {
    const { status, stderr } = await run(...args);
    expect(stderr).toContain(hint);
    expect(status).toBe(2);
  });
});

describe('ipistorm models --differences', () => {
  it('shows what differs between the models named, and only them', async () => {
    const of = async (...names: string[]) =>
      (await run('models', ...names, '--differences', '--json')).json();
    const pair = await of('kvm', 'qemu');
    expect(pair.models).toEqual(['kvm', 'qemu']);
    for (const { models } of pair.flags) {
      expect(Object.keys(models)).toEqual(['kvm', 'qemu']);
      expect(models.kvm).not.toBe(models.qemu);
    }
    expect((await of('kvm')).models).toEqual(['sdm', 'kvm']);
    for (const { models } of (await of()).flags)
      expect(new Set(Object.values(models)).size).toBeGreaterThan(1);
    expect((await run('models', 'sdm', '--differences')).status).toBe(2);
  });
});

describe('what was asked is done or refused', () => {
  const RUN_IT = ['run', 'irqs-off', '--duration', '10us'];
  it.each([
    [
      [...RUN_IT, '--cpus', '8', '--set', 'machine.cpus=4'],
      /got "machine.cpus".* --cpus sets mach/,
    ],
    [[...RUN_IT, '--set', 'duration_ns=5'], /--duration sets duration_ns; leave one out/],
    [[...RUN_IT, '--set', 'machine.cpus=4,machine.cpus=5'], /--set sets machine.cpus; leave one/],
    [[...RUN_IT, '--set', 'csd.timeout_ms=4,csd={}'], /--set sets csd.timeout_ms; leave one out/],
    [[...RUN_IT, '--serialize', '--set', 'workloads.0={}'], /--serialize sets workloads.0.lock/],
    [[...RUN_IT, '--set', ','], /--set: got ",", allowed PATH=VALUE/],
    [[...RUN_IT, '--chrome', 'a\ufffdb'], /--chrome: got .*, allowed a name in UTF-8/],
    [['--version', 'x'], /argument: got "x", allowed none after --version/],
    [['help', 'icr', 'x'], /argument: got "x", allowed one command/],
    [['compare', '--cpus', '8', '--sizes', '2,7'], /--sizes: got 7, allowed 2-6 on 8 CPUs/],
    [['compare', '--cpus', '3', '--sizes', '2'], /--sizes: got 2, allowed none on 3 CPUs/],
  ])('%j', async (args, message) => {
    const { status, stdout, stderr } = await run(...args);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it('set in turn: a part, then what is in it', async () => {
    const set = 'csd={},csd.timeout_ms=4,workloads.0.think_ns=9,workloads.1.think_ns=9';
    expect((await run(...RUN_IT, '--set', set)).status).toBe(0);
  });

  it('compares what is named twice once', async () => {
    const twice = [
      '--drivers',
      'phys,x2apic_phys',
      '--eras',
      'linux-6.12,linux-6.12',
      '--sizes',
      '2,2',
    ];
    const { json } = await run('compare', '--cpus', '8', '--rounds', '3', ...twice, '--json');
    const paths = json().paths.map(
      (p: { path: string; targets: number }) => `${p.path} ${p.targets}`,
    );
    expect(new Set(paths).size).toBe(paths.length);
  });
});
