/**
 * The machine with a clock: what IPIs cost, where a storm saturates, why a call got stuck. Imports
 * nothing from Node.
 */
export { type CostSet, checkCosts, type Shares } from './costs.js';
export {
  type CpuTime,
  type SlowWait,
  type TimedEvent,
  type TimedOptions,
  type TimedResult,
  TimedRun,
} from './engine.js';
export type { Histogram, Percentiles } from './histogram.js';
export { timedJson } from './json.js';
export {
  COST_SETS,
  costSet,
  costText,
  SCENARIO_NAMES,
  scenario,
  scenarioText,
} from './library.js';
export { kernelMessages } from './messages.js';
export { type Bottleneck, type RampStep, ramp } from './ramp.js';
export { RecordedLoad, type RecordedOperation } from './recorded.js';
export { checkScenario, type Scenario } from './scenario.js';
export { parseCommented } from './validate.js';
export { type Explanation, Why } from './why.js';
