// The commands, and what they exit with: 0 good, 1 an invariant or a check failed, 2 usage, 3 environment.

import { createRequire } from 'node:module';
import { meant } from '../core/check.js';
import { InvariantError, UsageError, usage } from '../core/errors.js';
import { COMPARE, runCompare } from './compare.js';
import { ICR, runIcr } from './icr.js';
import { COSTS, runCosts, runScenarios, SCENARIOS } from './library.js';
import { MODELS, runModels } from './models.js';
import { type CommandSpec, EXIT_CODES, helpText, type Parsed, parseCommand } from './options.js';
import { RAMP, runRamp } from './ramp.js';
import { REPLAY, runReplay } from './replay.js';
import { RUN, runRun } from './run.js';
import { runShowcase } from './showcase.js';
import { runStorm, STORM } from './storm.js';
import { Terminal, watchInterrupt } from './terminal.js';
import { costSetsCame, timedInputsCame } from './timed-input.js';
import { runVerify, VERIFY } from './verify.js';

interface Command {
  spec: CommandSpec;
  run(args: Parsed, terminal: Terminal): number | Promise<number>;
  /** Waits for what comes through pipes before the work; false when a signal came first. */
  came?(args: Parsed, terminal: Terminal): Promise<boolean>;
}

const COMMANDS: Record<string, Command> = {
  icr: { spec: ICR, run: runIcr },
  compare: { spec: COMPARE, run: runCompare },
  run: { spec: RUN, run: runRun, came: timedInputsCame },
  ramp: { spec: RAMP, run: runRamp, came: timedInputsCame },
  storm: { spec: STORM, run: runStorm },
  replay: { spec: REPLAY, run: runReplay, came: costSetsCame },
  verify: { spec: VERIFY, run: runVerify },
  models: { spec: MODELS, run: runModels },
  scenarios: { spec: SCENARIOS, run: runScenarios },
  costs: { spec: COSTS, run: runCosts },
};

const HELP = `ipistorm: a simulator of x86 inter-processor interrupts

ipistorm                  the showcase: single against mask, a storm, a real trace, a lost IPI
${Object.entries(COMMANDS)
  .map(
    ([name, { spec }]) =>
      `ipistorm ${`${name} ${spec.positional ?? ''}`.padEnd(16)} ${spec.summary.split('\n')[0]}\n${' '.repeat(26)}${spec.examples[0]}`,
  )
  .join('\n')}
ipistorm --version

Numbers may be written 0xfd, 50M or 1_000; lists 1-3,8. "npx ipistorm COMMAND --help" shows a command's options.
${EXIT_CODES}
A signal prints what was done so far; a second one ends at once. NO_COLOR=1 turns colour off.
Words: docs/glossary.md. What is not modelled: docs/fidelity.md. Scenarios and cost sets: docs/time.md.`;

function version(): string {
  const require = createRequire(import.meta.url);
  return (require('../../../package.json') as { version: string }).version;
}

function commandOf(name: string): Command {
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name]!;
  const names = Object.keys(COMMANDS);
  throw usage('command', name, names.join(', '), meant(name, names) ?? 'see npx ipistorm --help');
}

async function main(argv: string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) return runShowcase(terminal);
  if (name === '--help' || name === '-h' || name === 'help') {
    if (rest.length > 1) throw usage('argument', rest[1], 'one command to help with');
    terminal.print(rest[0] === undefined ? HELP : helpText(rest[0], commandOf(rest[0]).spec));
    return 0;
  }
  if (name === '--version' || name === '-V') {
    if (rest.length > 0) throw usage('argument', rest[0], 'none after --version');
    terminal.print(version());
    return 0;
  }
  const command = commandOf(name);
  const end = rest.indexOf('--');
  const options = end < 0 ? rest : rest.slice(0, end);
  if (options.includes('--help') || options.includes('-h')) {
    terminal.print(helpText(name, command.spec));
    return 0;
  }
  const args = parseCommand(name, command.spec, rest);
  if (command.came && !(await command.came(args, terminal))) return nothingCame(args, terminal);
  return command.run(args, terminal);
}

/** What is printed when a signal came before there was anything to work on. */
async function nothingCame(args: Parsed, terminal: Terminal): Promise<number> {
  const format = args.flag('json') ? 'json' : args.text('format');
  if (format === 'json' || format === 'jsonl') await terminal.json({}, format === 'json' ? 2 : 0);
  terminal.note('interrupted before anything was read');
  return watchInterrupt().code;
}

function exitCode(error: unknown): number {
  if (error instanceof InvariantError) return 1;
  return error instanceof UsageError ? 2 : 3;
}

/** Runs a command line; returns the exit code, errors told on standard error. */
export async function runCommand(argv: string[]): Promise<number> {
  const terminal = new Terminal();
  try {
    return await main(argv, terminal);
  } catch (error) {
    terminal.note(`ipistorm: ${error instanceof Error ? error.message : String(error)}`);
    return exitCode(error);
  }
}
