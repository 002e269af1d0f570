// What the timed commands read: a scenario and a cost set, by name or from a file, and changes to them.

import { statSync } from 'node:fs';
import { checkName, meant } from '../core/check.js';
import { DRIVERS, ERAS } from '../core/config.js';
import { usage } from '../core/errors.js';
import { fdOf, shownName } from '../input/path.js';
import { readWhole, receive } from '../input/whole.js';
import { parseCommented } from '../timed/commented.js';
import { type CostSet, checkCosts } from '../timed/costs.js';
import { COST_SETS, costSet, SCENARIO_NAMES, scenarioText } from '../timed/library.js';
import { checkScenario, type Scenario } from '../timed/scenario.js';
import { parseDriver } from './machine-options.js';
import { parseNumber, parseSeed } from './numbers.js';
import type { OptionSpec, Parsed } from './options.js';
import { type Terminal, watchInterrupt } from './terminal.js';

export const TIMED_OPTIONS: Record<string, OptionSpec> = {
  costs: {
    value: 'NAME',
    help: 'cost set, by name or file (default: the scenario\'s; see "npx ipistorm costs")',
  },
  cpus: { value: 'N', help: 'as many CPUs, without the topology of the scenario' },
  driver: { value: 'NAME', help: Object.keys(DRIVERS).join(' | ') },
  era: { value: 'NAME', help: Object.keys(ERAS).join(' | ') },
  duration: { value: 'TIME', help: 'simulated time, such as 500us, 20ms or 2s' },
  set: {
    value: 'PATH=V,...',
    help: 'change any field, such as workloads.0.think_ns=500,csd.timeout_ms=0',
  },
  serialize: { help: 'a mutex around the operations of the first workload' },
  seed: { value: 'S', help: '64-bit seed (default 1)' },
  scheduler: { value: 'NAME', help: 'auto | heap | windows: the same result, another speed' },
};

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 };

/** What 64 bits of picoseconds and exact numbers hold. */
const TIME_MAX = 1e15;

/** "20ms" in ns. @throws UsageError */
export function parseTime(what: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?(?:e\d+)?)(ns|us|ms|s)$/.exec(text.trim());
  const ns = match ? Number(match[1]) * UNITS[match[2]!]! : 0;
  if (ns <= 0 || ns > TIME_MAX)
    throw usage(what, text, 'a time such as 500ns, 20us, 3.5ms or 2s, at most 1e15ns');
  return ns;
}

/** Scenarios and cost sets that came by standard input: it is read once. */
let fromStdin: string | undefined;

/** Whether there is something to read of that name, or it can only be meant as a path. */
function isPath(name: string, names: readonly string[]): boolean {
  if (fdOf(name) !== undefined) return true;
  try {
    if (!statSync(name).isDirectory() || !names.includes(name)) return true;
  } catch {
    // Nothing there, or nothing that can be asked: reading it says what.
  }
  return !names.includes(name) && /[/.]/.test(name);
}

/** Whether there is something to read of that name, and it came; false after a signal. */
async function came(name: string, names: readonly string[], terminal: Terminal): Promise<boolean> {
  if (!isPath(name, names)) return true;
  if (fdOf(name) === 0 && process.stdin.isTTY)
    terminal.note('reading standard input, a terminal; Ctrl-D ends it');
  return receive(name, watchInterrupt().signal);
}

/** Waits for the scenario and the cost set that come through pipes; false when a signal came first. */
export async function timedInputsCame(args: Parsed, terminal: Terminal): Promise<boolean> {
  const costs = args.text('costs');
  return (
    (await came(args.positionals[0]!, SCENARIO_NAMES, terminal)) &&
    (costs === undefined || came(costs, COST_SETS, terminal))
  );
}

/** The same for a list of cost sets. */
export async function costSetsCame(args: Parsed, terminal: Terminal): Promise<boolean> {
  const names = args.text('costs')?.split(',') ?? [];
  for (const name of names) if (!(await came(name.trim(), COST_SETS, terminal))) return false;
  return true;
}

function parseFile(what: string, path: string): unknown {
  if (fdOf(path) === 0) {
    if (fromStdin !== undefined) {
      const next = `give ${fromStdin} or ${what} as a file`;
      throw usage(what, path, `standard input once (${fromStdin} came by it)`, next);
    }
    fromStdin = what;
  }
  return parseCommented(readWhole(path), shownName(path));
}

/** By name, or from a file when there is one of that name. */
export function loadCosts(name: string): CostSet {
  if (isPath(name, COST_SETS)) return checkCosts(parseFile('--costs', name));
  return costSet(known('--costs', name, COST_SETS));
}

/** @param otherwise what to do when no name is near */
export function known(
  what: string,
  name: string,
  names: readonly string[],
  otherwise = 'or a file of your own',
): string {
  if (names.includes(name)) return name;
  throw usage(what, name, names.join(', '), meant(name, names) ?? otherwise);
}

function loadScenario(name: string): unknown {
  if (isPath(name, SCENARIO_NAMES)) return parseFile('scenario', name);
  return parseCommented(scenarioText(known('scenario', name, SCENARIO_NAMES)), name);
}

/** Sets `a.b.0.c=value` in plain data; the value is JSON, or text. */
function setField(target: unknown, assignment: string): void {
  const [path = '', ...rest] = assignment.split('=');
  if (rest.length === 0 || path === '') {
    throw usage('--set', assignment, 'PATH=VALUE, such as workloads.0.think_ns=500');
  }
  const text = rest.join('=');
  const keys = path.split('.');
  let at = target as Record<string, unknown>;
  for (const [i, key] of keys.slice(0, -1).entries()) {
    if (key === '__proto__' || (Array.isArray(at) && !(key in at))) {
      throw usage(
        '--set',
        path,
        'fields of the scenario',
        `there is no ${keys.slice(0, i + 1).join('.')}`,
      );
    }
    at[key] ??= {};
    at = at[key] as Record<string, unknown>;
    if (typeof at !== 'object' || at === null) {
      throw usage('--set', path, 'fields of the scenario', `${key} has no fields`);
    }
  }
  const last = keys.at(-1)!;
  if (last === '__proto__') throw usage('--set', path, 'fields of the scenario');
  if (Array.isArray(at) && !(/^\d{1,4}$/.test(last) && Number(last) <= at.length)) {
    throw usage('--set', path, `the places 0-${at.length} of a list`);
  }
  try {
    at[last] = JSON.parse(text);
  } catch {
    at[last] = text;
  }
}

/** Splits at commas that are not inside brackets or quotes. @throws UsageError for what stays open */
function assignments(text: string): string[] {
  const parts: string[] = [];
  let [start, depth, quoted] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (quoted) {
      if (char === '\\') at++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth--;
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  if (quoted || depth !== 0)
    throw usage('--set', text, 'PATH=VALUE,... with whole brackets and quotes');
  const set = [...parts, text.slice(start)].filter((part) => part !== '');
  if (text !== '' && set.length === 0) throw usage('--set', text, 'PATH=VALUE,...');
  return set;
}

/** Options that set a field, too. */
const FIELD_OF: Readonly<Record<string, string>> = {
  cpus: 'machine.cpus',
  driver: 'machine.driver',
  era: 'machine.era',
  duration: 'duration_ns',
  serialize: 'workloads.0.lock',
};

/** Nothing is set and then overwritten. @throws UsageError */
function checkSetOnce(sets: readonly string[], args: Parsed): void {
  const before = new Map<string, string>();
  for (const [option, field] of Object.entries(FIELD_OF)) {
    if (args.flag(option) || args.text(option) !== undefined) before.set(field, `--${option}`);
  }
  for (const path of sets.map((assignment) => assignment.split('=')[0]!)) {
    for (const [field, option] of before) {
      if (field === path || field.startsWith(`${path}.`))
        throw usage('--set', path, 'each field once', `${option} sets ${field}; leave one out`);
    }
    before.set(path, '--set');
  }
}

/** The scenario with the options' changes, checked. @throws UsageError */
export function timedScenario(name: string, args: Parsed): Scenario {
  const raw = loadScenario(name) as { machine?: Record<string, unknown> };
  if (typeof raw !== 'object' || raw === null) return checkScenario(raw);
  const machine: Record<string, unknown> = { ...raw.machine };
  const cpus = args.text('cpus');
  if (cpus !== undefined) {
    machine.cpus = parseNumber('--cpus', cpus, 1, 8192);
    delete machine.topology;
    delete machine.ccd_cores;
  }
  const driver = args.text('driver');
  if (driver !== undefined) machine.driver = parseDriver(driver);
  const era = args.text('era');
  if (era !== undefined) machine.era = checkName('--era', era, ERAS);
  const changed: Record<string, unknown> = { ...raw, machine };
  const duration = args.text('duration');
  if (duration !== undefined) changed.duration_ns = parseTime('--duration', duration);
  if (args.flag('serialize')) setField(changed, 'workloads.0.lock=0');
  const sets = assignments(args.text('set') ?? '');
  checkSetOnce(sets, args);
  for (const assignment of sets) setField(changed, assignment);
  return checkScenario(changed);
}

export function timedSeed(args: Parsed): bigint {
  return parseSeed('--seed', args.text('seed') ?? '1');
}

export function timedScheduler(args: Parsed): 'auto' | 'heap' | 'windows' {
  return checkName('--scheduler', args.text('scheduler') ?? 'auto', {
    auto: 0,
    heap: 0,
    windows: 0,
  });
}
