// The options that describe a machine, shared by the commands.

import { checkName, checkOneOf } from '../core/check.js';
import {
  DRIVERS,
  type Driver,
  ERAS,
  type Era,
  type MachineOptions,
  MODES,
  type Mode,
} from '../core/config.js';
import { usage } from '../core/errors.js';
import { L } from '../core/memory.js';
import { parseNumber, parseNumberList } from './numbers.js';
import type { OptionSpec, Parsed } from './options.js';

/** Models without a serial bus: Linux's senders would wait for it, and only advance() gives it time. */
const STORM_MODELS = ['sdm', 'amd', 'kvm', 'qemu'] as const;

export const MACHINE_OPTIONS: Record<string, OptionSpec> = {
  cpus: { value: 'N', help: `local APICs, 1-${L.CPUS_MAX}` },
  'apic-ids': { value: 'LIST', help: 'APIC id of each CPU in CPU order, such as 0-15,32-47' },
  topology: {
    value: 'SxCxT',
    help: 'sockets x cores x threads, such as 2x24x2; first threads get the first CPU numbers',
  },
  mode: { value: 'MODE', help: Object.keys(MODES).join(' | ') },
  era: { value: 'ERA', help: Object.keys(ERAS).join(' | ') },
  driver: { value: 'DRIVER', help: Object.keys(DRIVERS).join(' | ') },
  model: {
    value: 'NAME',
    help: `how the local APICs behave: ${STORM_MODELS.join(' | ')} (see npx ipistorm models; default sdm)`,
  },
  vendor: { value: 'NAME', help: 'intel | amd (linux-6.12 sends without a fence on amd)' },
  'no-ipi-broadcast': { help: 'boot with no_ipi_broadcast=1: no shorthands in linux-6.12' },
  'no-hotplug-cpu': { help: 'build the 4.0 eras without CONFIG_HOTPLUG_CPU' },
};

const ALIASES: Record<string, Driver> = {
  cluster: 'x2apic_cluster',
  phys: 'x2apic_phys',
  x2apic_physical: 'x2apic_phys',
  kvm: 'kvm_pv',
  pv: 'kvm_pv',
  hv: 'hyperv',
  hyper_v: 'hyperv',
  default: 'default_32',
  probe_32: 'default_32',
};

export function parseDriver(text: string): Driver {
  const name = text.replace(/-/g, '_');
  if (Object.hasOwn(ALIASES, name)) return ALIASES[name]!;
  return checkName('--driver', name, DRIVERS);
}

export function machineOptions(args: Parsed, defaults: MachineOptions = {}): MachineOptions {
  const options: MachineOptions = { ...defaults };
  const cpus = args.text('cpus');
  const ids = args.text('apic-ids');
  const topology = args.text('topology');
  if (cpus !== undefined || ids !== undefined || topology !== undefined) {
    delete options.cpus;
    delete options.topology;
    delete options.apicIds;
  }
  if (cpus !== undefined) options.cpus = parseNumber('--cpus', cpus, 1, L.CPUS_MAX);
  if (ids !== undefined) options.apicIds = parseNumberList('--apic-ids', ids, 0, 0xfffffffe);
  if (topology !== undefined) {
    const parts = topology.split('x').map((part) => parseNumber('--topology', part, 1, L.CPUS_MAX));
    if (parts.length !== 3)
      throw usage('--topology', topology, 'SOCKETSxCORESxTHREADS such as 2x24x2');
    options.topology = { sockets: parts[0]!, cores: parts[1]!, threads: parts[2]! };
  }
  const mode = args.text('mode');
  const era = args.text('era');
  const driver = args.text('driver');
  const vendor = args.text('vendor');
  const model = args.text('model');
  if (mode !== undefined) {
    options.mode = checkName<Mode>('--mode', mode, MODES);
    delete options.driver;
  }
  if (era !== undefined) options.era = checkName<Era>('--era', era, ERAS);
  if (driver !== undefined) {
    options.driver = parseDriver(driver);
    if (mode === undefined) delete options.mode;
  }
  if (model !== undefined) {
    options.model = checkOneOf('--model', model, STORM_MODELS);
  }
  if (vendor !== undefined) options.vendor = checkName('--vendor', vendor, { intel: 0, amd: 0 });
  if (args.flag('no-ipi-broadcast')) options.noIpiBroadcast = true;
  if (args.flag('no-hotplug-cpu')) options.hotplugCpu = false;
  return options;
}
