// A core made to a machine's configuration: memory, ids, model, I/O APICs, then power-on.

import { DRIVERS, ERAS, type MachineConfig, MODES, STARTS } from './config.js';
import { usage } from './errors.js';
import { C, L } from './memory.js';
import { modelWords } from './models.js';
import { type CompiledModule, type CoreExports, instantiate } from './wasm.js';

function flagsOf(config: MachineConfig): number {
  return (
    (config.noIpiBroadcast ? C.FLAG_NO_IPI_BROADCAST : 0) |
    (config.hotplugCpu ? 0 : C.FLAG_NO_HOTPLUG_CPU) |
    (config.vendor === 'amd' ? C.FLAG_NO_FENCE : 0) |
    (config.countVectors ? C.FLAG_COUNT_VECTORS : 0) |
    (config.isrSetAt === 'dispatch' ? C.FLAG_EARLY_ISR : 0)
  );
}

/** Writes what the core's commit() reads. */
function describe(config: MachineConfig, view: DataView): void {
  const ident = view.getUint32(L.H_IDENT, true);
  config.apicIds.forEach((id, cpu) => {
    view.setUint32(ident + cpu * L.IDENT_BYTES, id, true);
  });
  const words = modelWords(config.model, config.x2apic);
  words[C.F_BASE_BITS] = config.physicalBits;
  words.forEach((word, i) => {
    view.setUint32(L.H_MODEL + 4 * i, word, true);
  });
  view.setUint32(L.H_TIMER_KHZ, Math.round(config.timerMHz * 1000), true);
  view.setUint32(L.H_TSC_KHZ, Math.round(config.tscMHz * 1000), true);
  config.ioapics.forEach(({ pins, version, id }, n) => {
    view.setUint32(L.H_IOAPIC_CONFIG + 4 * n, pins | (version << 16), true);
    const at = view.getUint32(L.H_IOAPICS, true) + (n << L.IOAPIC_SHIFT);
    view.setUint32(at + L.IO_ID, id, true);
  });
}

/**
 * @throws UsageError for an id that two CPUs have
 * @throws RangeError when the host has no memory for it
 */
export function bootCore(config: MachineConfig, module?: CompiledModule): CoreExports {
  const core = instantiate(module);
  const { cpus, mode, driver, era, ioapics, apicIds } = config;
  const codes = [MODES[mode], DRIVERS[driver], ERAS[era], flagsOf(config), ioapics.length] as const;
  if (core.create(cpus, ...codes) !== 0) {
    throw new RangeError(
      `cpus: got ${cpus}, allowed what memory holds (1.3 KB each and more); use fewer`,
    );
  }
  describe(config, new DataView(core.memory.buffer));
  const duplicate = core.commit(STARTS[config.start]);
  if (duplicate < 0) return core;
  throw usage(
    'apicIds',
    apicIds[duplicate],
    'distinct ids',
    `CPU ${duplicate}'s is taken by a lower CPU`,
  );
}
