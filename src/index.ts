/**
 * ipistorm: a simulator of x86 inter-processor interrupts. Imports nothing from Node; runs in a
 * browser, a worker, Bun and Deno.
 */
export type { Driver, Era, MachineConfig, MachineOptions, Mode, Topology } from './config.js';
export { CPU_LIMIT, DRIVER_MODES, driversOf, topologyIds } from './config.js';
export { type CompiledModule, coreModule } from './core/wasm.js';
export type { Counters, SenderCosts } from './counters.js';
export { InvariantError, UsageError } from './errors.js';
export type { LocalApic } from './lapic.js';
export { type LinuxSender, OPS, type Op, type Write } from './linux.js';
export { type CreateOptions, Machine, type StormProgress } from './machine.js';
export type { Pattern, StormOptions, StormResult, Via } from './storm.js';
