// ipistorm models: where real local APICs differ, and why.
import { usage } from '../core/errors.js';
import { MODEL_FLAGS, MODEL_NAMES, type Model, type ModelFlag } from '../core/models.js';
import { type CommandSpec, nearest, type Parsed } from './options.js';
import type { Terminal } from './terminal.js';

export const MODELS: CommandSpec = {
  summary: 'Shows the hardware models: each flag, its value in every model, and its source.',
  positional: '[MODEL]',
  options: {
    differences: { help: 'only flags in which the models differ from sdm' },
    sources: { help: 'what each value means, and where that is documented' },
    json: { help: 'machine-readable output' },
  },
  examples: [
    'npx ipistorm models',
    'npx ipistorm models kvm --differences --sources',
    'npx ipistorm models --json',
  ],
};

const DECIMAL: ReadonlySet<string> = new Set(['id_bits', 'storm_brake']);
const shown = (name: string, value: string | number): string =>
  typeof value === 'number' && !DECIMAL.has(name) ? `0x${value.toString(16)}` : String(value);

function parseModel(text: string): Model {
  if ((MODEL_NAMES as readonly string[]).includes(text)) return text as Model;
  const near = nearest(text, MODEL_NAMES);
  throw usage('model', text, MODEL_NAMES.join(', '), near && `did you mean ${near}?`);
}

function differs(flag: ModelFlag, models: readonly Model[]): boolean {
  return models.some((model) => flag.models[model] !== flag.models.sdm);
}

export function runModels(args: Parsed, terminal: Terminal): number {
  const [name, surplus] = args.positionals;
  if (surplus !== undefined) throw usage('argument', surplus, 'one model at most');
  const models = name === undefined ? MODEL_NAMES : [parseModel(name)];
  const flags = MODEL_FLAGS.filter((f) => !args.flag('differences') || differs(f, models));
  if (args.flag('json')) {
    terminal.json({ models, flags: flags.map(({ index: _, ...rest }) => rest) });
    return 0;
  }
  terminal.title(`${flags.length} flags of ${models.join(', ')}`);
  const columns = name === undefined || name === 'sdm' ? models : (['sdm', ...models] as const);
  terminal.table(
    ['flag', ...columns],
    flags.map((flag) => [
      flag.name,
      ...columns.map((model) => shown(flag.name, flag.models[model])),
    ]),
    columns.length + 1,
  );
  if (args.flag('sources')) for (const flag of flags) printSource(flag, terminal);
  else terminal.print('What each value means, and its source: npx ipistorm models --sources');
  return 0;
}

function printSource(flag: ModelFlag, terminal: Terminal): void {
  terminal.print(`\n${flag.name}: ${flag.question}`);
  for (const [value, { meaning }] of Object.entries(flag.values ?? {})) {
    terminal.print(`  ${value.padEnd(16)} ${meaning}`);
  }
  terminal.print(`  source: ${flag.source}`);
}
