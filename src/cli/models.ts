// ipistorm models: where real local APICs differ, and why.
import { checkOneOf } from '../core/check.js';
import { usage } from '../core/errors.js';
import { MODEL_FLAGS, MODEL_NAMES, type Model, type ModelFlag } from '../core/models.js';
import type { CommandSpec, Parsed } from './options.js';
import type { Terminal } from './terminal.js';

export const MODELS: CommandSpec = {
  summary: 'Shows the hardware models: each flag, its value in every model, and its source.',
  positional: '[MODEL...]',
  options: {
    differences: {
      help: 'only flags in which these models differ; one model is compared with sdm',
    },
    sources: { help: 'what each value means, and where that is documented' },
    json: { help: 'machine-readable output' },
  },
  examples: [
    'npx ipistorm models',
    'npx ipistorm models kvm --differences --sources',
    'npx ipistorm models kvm qemu --differences',
    'npx ipistorm models --json',
  ],
};

const DECIMAL: ReadonlySet<string> = new Set(['id_bits', 'storm_brake']);
const shown = (name: string, value: string | number): string =>
  typeof value === 'number' && !DECIMAL.has(name) ? `0x${value.toString(16)}` : String(value);

function parseModel(text: string): Model {
  return checkOneOf('model', text, MODEL_NAMES);
}

/** One model is compared with sdm, several with each other; without a name all of them. */
function compared(names: readonly string[]): readonly Model[] {
  const named = [...new Set(names.map(parseModel))];
  if (named.length === 0) return MODEL_NAMES;
  return named.length === 1 && named[0] !== 'sdm' ? ['sdm', ...named] : named;
}

function differs(flag: ModelFlag, models: readonly Model[]): boolean {
  return models.some((model) => flag.models[model] !== flag.models[models[0]!]);
}

export async function runModels(args: Parsed, terminal: Terminal): Promise<number> {
  const models = compared(args.positionals);
  if (args.flag('differences') && models.length < 2)
    throw usage('--differences', models[0], 'two models or more', 'name another one, or none');
  const flags = MODEL_FLAGS.filter((f) => !args.flag('differences') || differs(f, models));
  if (args.flag('json')) {
    await terminal.json({ models, flags: flags.map((flag) => flagJson(flag, models)) });
    return 0;
  }
  terminal.title(`${flags.length} of ${MODEL_FLAGS.length} flags: ${models.join(', ')}`);
  terminal.table(
    ['flag', ...models],
    flags.map((flag) => [
      flag.name,
      ...models.map((model) => shown(flag.name, flag.models[model])),
    ]),
    models.length + 1,
  );
  if (args.flag('sources')) for (const flag of flags) printSource(flag, terminal);
  else terminal.print('What each value means, and its source: npx ipistorm models --sources');
  return 0;
}

function flagJson({ index: _, ...flag }: ModelFlag, models: readonly Model[]): object {
  return { ...flag, models: Object.fromEntries(models.map((name) => [name, flag.models[name]])) };
}

function printSource(flag: ModelFlag, terminal: Terminal): void {
  terminal.print(`\n${flag.name}: ${flag.question}`);
  for (const [value, { meaning }] of Object.entries(flag.values ?? {})) {
    terminal.print(`  ${value.padEnd(16)} ${meaning}`);
  }
  terminal.print(`  source: ${flag.source}`);
}
