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
} from './core/config.js';
export { CPU_LIMIT, DRIVER_MODES, driversOf, topologyIds } from './core/config.js';
export type { Counters, SenderCosts } from './core/counters.js';
export { InvariantError, UsageError } from './core/errors.js';
export { MODEL_FLAGS, MODEL_NAMES, type Model, type ModelFlag } from './core/models.js';
export { type CompiledModule, coreModule } from './core/wasm.js';
export { GeneralProtection } from './machine/hardware/access.js';
export type { Cpu, EoiResult, Taken } from './machine/hardware/cpu.js';
export type { Ioapic } from './machine/hardware/ioapic.js';
export type { Effect, Message } from './machine/hardware/messages.js';
export type { Pic } from './machine/hardware/pic.js';
export type { LocalApic, LvtEntry, Outputs } from './machine/lapic.js';
export { type LinuxSender, OPS, type Op, type Write } from './machine/linux.js';
export {
  type CreateOptions,
  Machine,
  type NewsRing,
  type RestoreOptions,
} from './machine/machine.js';
export type { SnapshotCheck } from './machine/snapshot.js';
export type {
  Pattern,
  StormOptions,
  StormProgress,
  StormResult,
  StormStep,
  Via,
} from './machine/storm.js';
