// The core behind the vocabulary of operations.ts.
import {
  type CreateOptions,
  type LocalApic,
  Machine,
  type Mode,
  type Taken,
} from '../../src/index.js';
import type {
  ApicState,
  Hardware,
  HardwareConfig,
  IoapicState,
  LvtName,
  MachineState,
  Operation,
} from './operations.js';

const LVT_REGISTERS: Record<LvtName, number> = {
  timer: 0x32,
  thermal: 0x33,
  perf: 0x34,
  lint0: 0x35,
  lint1: 0x36,
  error: 0x37,
  cmci: 0x2f,
};

const MODES: Record<HardwareConfig['start'], Mode> = {
  reset: 'xapic-physical',
  'xapic-flat': 'xapic-flat',
  'xapic-cluster': 'xapic-cluster',
  'xapic-physical': 'xapic-physical',
  x2apic: 'x2apic-physical',
};

function options(config: HardwareConfig): CreateOptions {
  const wide = config.apicIds.some((id) => id > 254);
  return {
    model: config.model,
    apicIds: config.apicIds,
    mode: config.start === 'reset' && wide ? 'x2apic-physical' : MODES[config.start],
    start: config.start === 'reset' ? 'reset' : 'enabled',
    gp: 'return',
    ...(config.isrSetAt && { isrSetAt: config.isrSetAt }),
    ...(config.ioapics && { ioapics: config.ioapics }),
  };
}

function shown(taken: Taken | undefined): string {
  if (!taken) return 'none';
  const bare = taken.kind === 'nmi' || taken.kind === 'smi' || taken.kind === 'init';
  return bare ? taken.kind : `${taken.kind} ${taken.vector}`;
}

const written = (done: boolean): string => (done ? 'ok' : 'GP');

export class CoreHardware implements Hardware {
  machine: Machine;

  constructor(config: HardwareConfig, module?: object) {
    this.machine = Machine.create({ ...options(config), ...(module && { module }) });
  }

  apply(o: Operation): string | number {
    switch (o.op) {
      case 'message': {
        const { op: _, ...message } = o;
        return this.machine.message(message);
      }
      case 'msi':
        return this.machine.signalMSI(BigInt(`0x${o.address}`), o.data);
      case 'irq':
      case 'ioapic_read':
      case 'ioapic_write':
        return this.#ioapic(o);
      case 'pic_irq':
        this.machine.pic.setIRQ(o.line, o.high);
        return 'ok';
      case 'pic_read':
        return this.machine.pic.read(o.port);
      case 'pic_write':
        this.machine.pic.write(o.port, o.value);
        return 'ok';
      case 'power_on':
        this.machine.powerOn();
        return 'ok';
      case 'advance':
        this.machine.advance(o.ns);
        return 'ok';
      default:
        return this.#local(o) ?? this.#processor(o);
    }
  }

  #ioapic(o: Operation & { op: 'irq' | 'ioapic_read' | 'ioapic_write' }): string | number {
    const ioapic = this.machine.ioapic(o.ioapic);
    if (o.op === 'ioapic_read') return ioapic.read(o.offset);
    if (o.op === 'irq') ioapic.setIRQ(o.pin, o.high);
    else ioapic.write(o.offset, o.value);
    return 'ok';
  }

  #local(o: Operation & { cpu: number }): string | number | undefined {
    const lapic = this.machine.lapic(o.cpu);
    switch (o.op) {
      case 'rdmsr':
        return lapic.readMSR(o.msr)?.toString(16) ?? 'GP';
      case 'wrmsr':
        return written(lapic.writeMSR(o.msr, BigInt(`0x${o.value}`)));
      case 'mmio_read':
        return lapic.readMMIO(o.offset, o.size);
      case 'mmio_write':
        lapic.writeMMIO(o.offset, o.value, o.size);
        return 'ok';
      case 'cr8_read':
        return lapic.readCR8();
      case 'cr8_write':
        return written(lapic.writeCR8(o.value));
      case 'lint':
        lapic.setLINT(o.pin, o.high);
        return 'ok';
      case 'local':
        lapic.localEvent(o.lvt);
        return 'ok';
      case 'init_reset':
        lapic.initReset();
        return 'ok';
      case 'acknowledge': {
        const { kind, vector } = lapic.inta();
        return kind === 'none' ? 'none' : `${kind} ${vector}`;
      }
      default:
        return undefined;
    }
  }

  #processor(o: Operation & { cpu: number }): string {
    const cpu = this.machine.cpu(o.cpu);
    if (o.op === 'take') return shown(cpu.take());
    if (o.op === 'iret') return shown(cpu.iret());
    if (o.op === 'eoi') {
      const { kind, vector } = cpu.eoi();
      return kind === 'stray' ? kind : `${kind} ${vector}`;
    }
    if (o.op === 'set_if') cpu.interruptFlag = o.value;
    else if (o.op === 'shadow') cpu.shadow();
    else if (o.op === 'halt') cpu.halt();
    else throw new Error(`unknown operation ${JSON.stringify(o)}`);
    return 'ok';
  }

  state(): MachineState {
    const { machine } = this;
    const { apicIds, ioapics } = machine.config;
    return {
      now_ns: Number(machine.now),
      apics: Array.from(apicIds, (_, cpu) => apicState(machine, cpu)),
      ioapics: ioapics.map((_, n) => ioapicState(machine, n)),
      pics: [machine.pic.registers(0), machine.pic.registers(1)],
      pic_output: machine.pic.output,
      bus: machine.bus,
      unclaimed: machine.senderCosts().unclaimed,
    };
  }
}

function apicState(machine: Machine, index: number): ApicState {
  const lapic = machine.lapic(index);
  const cpu = machine.cpu(index);
  const registers = Object.entries(LVT_REGISTERS).map(([name, reg]) => [name, lapic.peek(reg)]);
  return {
    base: lapic.apicBase.toString(16),
    ...registerState(lapic),
    lvt: Object.fromEntries(registers),
    deadline: lapic.deadline.toString(16),
    irr: lapic.irr,
    isr: lapic.isr,
    tmr: lapic.tmr,
    ...lapic.outputs,
    waiting: cpu.waiting,
    halted: cpu.halted,
    interrupt_flag: cpu.interruptFlag,
    shadow: cpu.inShadow,
    handlers: cpu.handlers.map(shown),
    counters: counterState(lapic),
  };
}

function registerState(lapic: LocalApic) {
  return {
    id: lapic.peek(0x02),
    version: lapic.peek(0x03),
    tpr: lapic.peek(0x08),
    apr: lapic.peek(0x09),
    ppr: lapic.peek(0x0a),
    ldr: lapic.peek(0x0d),
    dfr: lapic.peek(0x0e),
    svr: lapic.peek(0x0f),
    esr: lapic.peek(0x28),
    icr_low: lapic.peek(0x30),
    icr_high: lapic.peek(0x31),
    initial_count: lapic.peek(0x38),
    current_count: lapic.peek(0x39),
    divide: lapic.peek(0x3e),
  };
}

function counterState(lapic: LocalApic): ApicState['counters'] {
  const { pending: _, strayEois, otherEois, ...rest } = lapic.counters;
  return { ...rest, stray_eois: strayEois, other_eois: otherEois };
}

function ioapicState(machine: Machine, n: number): IoapicState {
  const ioapic = machine.ioapic(n);
  return {
    id: ioapic.id,
    arb: ioapic.arb,
    entries: Array.from({ length: ioapic.pins }, (_, pin) => ioapic.entry(pin).toString(16)),
  };
}
