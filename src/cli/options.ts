// One table per command drives parsing, checking and --help.
import { parseArgs } from 'node:util';
import { UsageError, usage } from '../core/errors.js';
import { nearest } from '../core/nearest.js';

export const EXIT_CODES =
  'Exit codes: 0 good, 1 a check failed, 2 usage or unusable input, 3 cannot read or write, 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP.';

export interface OptionSpec {
  /** Placeholder of its value; none for a switch. */
  value?: string;
  help: string;
  /** Its value may be empty: an empty list. */
  empty?: true;
  /** Its value is a file that is written. */
  output?: true;
}

export interface CommandSpec {
  summary: string;
  /** NAME, [NAME] when it may be missing, NAME... when several may be given. */
  positional?: string;
  /** Options that choose what is printed: one of them at most. */
  formats?: readonly string[];
  options: Record<string, OptionSpec>;
  examples: readonly string[];
}

export interface Parsed {
  positionals: string[];
  text(name: string): string | undefined;
  flag(name: string): boolean;
}

/** An option as parseArgs() found it. */
interface Token {
  index: number;
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

/** @throws UsageError for unknown, repeated and contradicting options, values and arguments that are amiss */
export function parseCommand(name: string, spec: CommandSpec, argv: string[]): Parsed {
  const nul = argv.find((arg) => arg.includes('\0'));
  if (nul !== undefined) throw usage('argument', nul, 'text without NUL');
  const options = Object.fromEntries(
    Object.entries(spec.options).map(([key, o]) => [
      key,
      { type: o.value ? ('string' as const) : ('boolean' as const) },
    ]),
  );
  const { tokens, positionals } = parseArgs({
    args: argv,
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const values = new Map<string, string | true>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const value = takeValue(name, spec, token, argv[token.index]!);
    const before = values.get(token.name);
    if (before !== undefined) throw twice(token.name, before, value);
    values.set(token.name, value);
  }
  checkFormats(spec, values);
  checkPositionals(name, spec, positionals);
  const text = (key: string) => {
    const value = values.get(key);
    return value === true ? undefined : value;
  };
  return { positionals, text, flag: (key) => values.get(key) === true };
}

function takeValue(name: string, spec: CommandSpec, token: Token, arg: string): string | true {
  const option = Object.hasOwn(spec.options, token.name) ? spec.options[token.name] : undefined;
  if (!option || !token.rawName.startsWith('--')) throw unknown(name, spec, token, arg);
  const what = `--${token.name}`;
  const help = `see npx ipistorm ${name} --help`;
  if (!option.value) {
    if (token.inlineValue) throw usage(what, token.value, 'no value here', help);
    return true;
  }
  const { value } = token;
  const next = !token.inlineValue && value?.startsWith('--') ? value.slice(2).split('=')[0] : '';
  if (value === undefined || (next && Object.hasOwn(spec.options, next))) {
    throw new UsageError(`${what}: got no value, allowed ${option.value}; ${help}`);
  }
  if (value === '' && !option.empty) throw usage(what, '', option.value, help);
  // What bytes it had nobody knows any more: the file would get another name.
  if (option.output && value.includes('\ufffd'))
    throw usage(what, value, 'a name in UTF-8', 'name another file');
  return value;
}

function unknown(name: string, spec: CommandSpec, token: Token, arg: string): UsageError {
  const known = Object.keys(spec.options);
  const near = nearest(token.name, known);
  const next = near ? `did you mean --${near}?` : `see npx ipistorm ${name} --help`;
  const got = token.rawName.startsWith('--') ? token.rawName : arg;
  const allowed = known.map((key) => `--${key}`).join(', ') || 'no options here';
  return usage('option', got, allowed, next);
}

function twice(name: string, first: string | true, second: string | true): UsageError {
  const both = first === true ? '' : ` (${JSON.stringify(first)}, ${JSON.stringify(second)})`;
  return new UsageError(`--${name}: got it twice${both}, allowed once; leave one out`);
}

function checkFormats(spec: CommandSpec, values: ReadonlyMap<string, unknown>): void {
  const [first, second] = (spec.formats ?? []).filter((key) => values.has(key));
  if (second === undefined) return;
  throw new UsageError(
    `--${second}: got it with --${first}, allowed one output format; leave one out`,
  );
}

function checkPositionals(name: string, spec: CommandSpec, given: readonly string[]): void {
  const help = `see npx ipistorm ${name} --help`;
  const { positional } = spec;
  if (!positional) {
    if (given.length > 0) throw usage('argument', given[0], 'no arguments here', help);
    return;
  }
  const what = positional.replace(/[^A-Z]/g, '');
  const many = positional.includes('...');
  const allowed = many ? 'one or more' : 'one';
  if (given.length === 0 && !positional.startsWith('['))
    throw new UsageError(`${what}: got none, allowed ${allowed}; ${help}`);
  if (given.length > 1 && !many) {
    const [first, second] = given.map((text) => JSON.stringify(text.slice(0, 80)));
    throw new UsageError(
      `${what}: got ${given.length} (${first}, ${second} ...), allowed one; ${help}`,
    );
  }
  if (given.includes('')) throw usage(what, '', 'a name', help);
}

export function helpText(name: string, spec: CommandSpec): string {
  const shown = Object.entries(spec.options).map(([key, o]) => [
    `--${key}${o.value ? ` ${o.value}` : ''}`,
    o.help,
  ]);
  const width = Math.max(0, ...shown.map(([left]) => left!.length));
  return [
    `ipistorm ${name}${spec.positional ? ` ${spec.positional}` : ''} [options]`,
    '',
    spec.summary,
    '',
    ...(shown.length > 0 ? ['Options'] : []),
    ...shown.map(([left, help]) => `  ${left!.padEnd(width)}  ${help}`),
    ...(shown.length > 0 ? [''] : []),
    'Examples',
    ...spec.examples.map((example) => `  ${example}`),
    '',
    EXIT_CODES,
  ].join('\n');
}
