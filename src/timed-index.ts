/**
 * The machine with a clock: what IPIs cost, where a storm saturates, why a call got stuck. Imports
 * nothing from Node.
 */

export { timedJson } from './report/json.js';
export { kernelMessages } from './report/messages.js';
export { type Bottleneck, type RampStep, ramp } from './report/ramp.js';
export { type Explanation, Why } from './report/why.js';
export { parseCommented } from './timed/commented.js';
export { checkCosts, type Shares } from './timed/costs.js';
export {
  type CpuTime,
  type SlowWait,
  type TimedEvent,
  type TimedOptions,
  type TimedResult,
  TimedRun,
} from './timed/engine.js';
export type { Histogram, Percentiles } from './timed/histogram.js';
export {
  COST_SETS,
  costSet,
  costText,
  SCENARIO_NAMES,
  scenario,
  scenarioText,
} from './timed/library.js';
export { RecordedLoad, type RecordedOperation } from './timed/recorded.js';
export { checkScenario } from './timed/scenario.js';
export type { CostEntry, CostSet, Fault, Operation, Scenario, Workload } from './timed/types.js';
