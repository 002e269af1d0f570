/**
 * ipistorm: a simulator of x86 inter-processor interrupts. Imports nothing from Node; runs in a
 * browser, a worker, Bun and Deno.
 */
export type {
  Driver,
  Era,
  IoapicConfig,
  MachineConfig,
  MachineOptions,
  Mode,
  Topology,
} from './config.js';
export { CPU_LIMIT, DRIVER_MODES, driversOf, topologyIds } from './config.js';
export { type CompiledModule, coreModule } from './core/wasm.js';
export type { Counters, SenderCosts } from './counters.js';
export { InvariantError, UsageError } from './errors.js';
export { GeneralProtection } from './hardware/access.js';
export type { Cpu, EoiResult, Taken } from './hardware/cpu.js';
export type { Ioapic } from './hardware/ioapic.js';
export type { Effect, Message } from './hardware/messages.js';
export type { Pic } from './hardware/pic.js';
export type { LocalApic, LvtEntry, Outputs } from './lapic.js';
export { type LinuxSender, OPS, type Op, type Write } from './linux.js';
export { type CreateOptions, Machine, type RestoreOptions, type StormProgress } from './machine.js';
export { MODEL_FLAGS, MODEL_NAMES, type Model, type ModelFlag } from './models.js';
export type { Pattern, StormOptions, StormResult, Via } from './storm.js';
