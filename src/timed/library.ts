// The cost sets and scenarios that come with ipistorm, by name.
import { meant } from '../core/check.js';
import { usage } from '../core/errors.js';
import { parseCommented } from './commented.js';
import { type CostSet, checkCosts } from './costs.js';
import { checkScenario, type Scenario } from './scenario.js';
import { COSTS, SCENARIOS } from './shipped.js';

export const COST_SETS: readonly string[] = Object.freeze(Object.keys(COSTS));
export const SCENARIO_NAMES: readonly string[] = Object.freeze(Object.keys(SCENARIOS));

function textOf(what: string, table: Readonly<Record<string, string>>, name: string): string {
  if (typeof name === 'string' && Object.hasOwn(table, name)) return table[name]!;
  const names = Object.keys(table);
  throw usage(
    what,
    name,
    names.join(', '),
    meant(name, names) ?? 'or the path of a file of your own',
  );
}

/** The JSON text of a cost set. @throws UsageError for an unknown name */
export function costText(name: string): string {
  return textOf('costs', COSTS, name);
}

/** The commented JSON text of a scenario. @throws UsageError for an unknown name */
export function scenarioText(name: string): string {
  return textOf('scenario', SCENARIOS, name);
}

/** @throws UsageError for an unknown name */
export function costSet(name: string): CostSet {
  return checkCosts(parseCommented(costText(name)));
}

/** @throws UsageError for an unknown name */
export function scenario(name: string): Scenario {
  return checkScenario(parseCommented(scenarioText(name)));
}
