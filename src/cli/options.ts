// One table per command drives parsing, checking and --help.
import { parseArgs } from 'node:util';
import { UsageError, usage } from '../core/errors.js';
import { nearest } from '../core/nearest.js';

export { nearest } from '../core/nearest.js';

export interface OptionSpec {
  /** Placeholder of its value; none for a switch. */
  value?: string;
  help: string;
}

export interface CommandSpec {
  summary: string;
  positional?: string;
  options: Record<string, OptionSpec>;
  examples: readonly string[];
}

export interface Parsed {
  positionals: string[];
  text(name: string): string | undefined;
  flag(name: string): boolean;
}

/** @throws UsageError for unknown options, missing values and surplus arguments */
export function parseCommand(name: string, spec: CommandSpec, argv: string[]): Parsed {
  const options = Object.fromEntries(
    Object.entries(spec.options).map(([key, o]) => [
      key,
      { type: o.value ? ('string' as const) : ('boolean' as const) },
    ]),
  );
  let result: { values: Record<string, unknown>; positionals: string[] };
  try {
    result = parseArgs({
      args: argv,
      options,
      allowPositionals: true,
      strict: true,
    }) as typeof result;
  } catch (error) {
    throw explain(name, spec, error as Error & { code?: string });
  }
  if (!spec.positional && result.positionals.length > 0) {
    throw usage(
      'argument',
      result.positionals[0],
      'no arguments here',
      `see npx ipistorm ${name} --help`,
    );
  }
  return {
    positionals: result.positionals,
    text: (key) => result.values[key] as string | undefined,
    flag: (key) => result.values[key] === true,
  };
}

function explain(name: string, spec: CommandSpec, error: Error & { code?: string }): UsageError {
  const unknown = /Unknown option '(-+)([^']+)'/.exec(error.message);
  if (!unknown)
    return new UsageError(`${error.message.split('. ')[0]}; see npx ipistorm ${name} --help`);
  const known = Object.keys(spec.options);
  const near = nearest(unknown[2]!, known);
  const next = near ? `did you mean --${near}?` : `see npx ipistorm ${name} --help`;
  return usage('option', unknown[1]! + unknown[2]!, known.map((k) => `--${k}`).join(', '), next);
}

export function helpText(name: string, spec: CommandSpec): string {
  const shown = Object.entries(spec.options).map(([key, o]) => [
    `--${key}${o.value ? ` ${o.value}` : ''}`,
    o.help,
  ]);
  const width = Math.max(...shown.map(([left]) => left!.length));
  return [
    `ipistorm ${name}${spec.positional ? ` ${spec.positional}` : ''} [options]`,
    '',
    spec.summary,
    '',
    'Options',
    ...shown.map(([left, help]) => `  ${left!.padEnd(width)}  ${help}`),
    '',
    'Examples',
    ...spec.examples.map((example) => `  ${example}`),
  ].join('\n');
}
