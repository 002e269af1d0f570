// ipistorm scenarios, ipistorm costs: what comes with the package, to read and to copy.
import { sharesOf } from '../timed/costs.js';
import {
  COST_SETS,
  costSet,
  costText,
  SCENARIO_NAMES,
  scenario,
  scenarioText,
} from '../timed/library.js';
import type { CommandSpec, Parsed } from './options.js';
import type { Terminal } from './terminal.js';
import { known } from './timed-input.js';

const LIST = 'without a name they are listed';

export const SCENARIOS: CommandSpec = {
  summary: 'Lists the scenarios, or prints one, to copy and change.',
  positional: '[NAME]',
  options: {},
  examples: ['npx ipistorm scenarios', 'npx ipistorm scenarios dropped-icr > mine.jsonc'],
};

export const COSTS: CommandSpec = {
  summary:
    'Lists the cost sets, or prints one with the kind and source of each number, to copy and change.',
  positional: '[NAME]',
  options: {},
  examples: ['npx ipistorm costs', 'npx ipistorm costs amd-epyc-x2apic > mine.json'],
};

export function runScenarios(args: Parsed, terminal: Terminal): number {
  const [name] = args.positionals;
  if (name !== undefined)
    terminal.print(scenarioText(known('scenario', name, SCENARIO_NAMES, LIST)).trimEnd());
  else {
    const rows = SCENARIO_NAMES.map((each) => [
      each,
      scenario(each).costs ?? '',
      scenario(each).summary,
    ]);
    terminal.table(['scenario', 'costs', 'what'], rows, 3);
  }
  return 0;
}

export function runCosts(args: Parsed, terminal: Terminal): number {
  const [name] = args.positionals;
  if (name !== undefined) terminal.print(costText(known('costs', name, COST_SETS, LIST)).trimEnd());
  else {
    const rows = COST_SETS.map((each) => {
      const set = costSet(each);
      const { measured, derived, guess } = sharesOf(set);
      return [each, set.summary, `${measured}`, `${derived}`, `${guess}`];
    });
    terminal.table(['cost set', 'of', 'measured', 'derived', 'guess'], rows, 2);
  }
  return 0;
}
