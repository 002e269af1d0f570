// What the host may call of registers, pins, devices, the CPU's side and time.
import { assertSettled, settled } from '../board/audit';
import { nextEvent as nextOfClock, runClock } from '../board/clock';
import { extintAsserted, news, newsOfAll } from '../board/news';
import { initReset as initCpu, powerOnCpu } from '../board/power';
import { clocksToRetry as nextOfBus, runBus } from '../board/retry';
import { acknowledgePicLine, drivePicLine, readPicPort, writePicPort } from '../board/wiring';
import { REDIRECT } from '../bus/command';
import { external } from '../bus/message';
import * as access from '../cpu/access';
import { newsIfTakeable, nextKind } from '../cpu/blocking';
import {
  eoiWritten,
  hearSipi as hear,
  isSpurious,
  returnFromHandler,
  STRAY,
  takeNext,
} from '../cpu/cpu';
import { readIoapic as readIo, setIrq, writeIoapic as writeIo } from '../ioapic/ioapic';
import { Lapic } from '../lapic/lapic';
import { fall, setPin } from '../lapic/lint';
import { deliverLocal } from '../lapic/lvt';
import { clearLatch, setLatch } from '../lapic/outputs';
import {
  offerLazyEoi as offerLazy,
  post,
  syncPosted as syncRequests,
  useLazyEoi as useLazy,
  withdrawLazyEoi as withdrawLazy,
} from '../lapic/posted';
import { refresh, refreshAndKick } from '../lapic/refresh';
import { REG_SVR, readRegister } from '../lapic/registers';
import { normalise, noteOddness, writeLdr } from '../lapic/reset';
import { isHardwareEnabled } from '../lapic/state';
import { resumeCount } from '../lapic/timer';
import { cpus } from '../memory/arena';
import { BAD_ARGUMENT, LVT_CMCI, LVT_LINT0, NONE } from '../memory/codes';
import * as L from '../memory/layout';
import { outcome } from '../memory/records';
import { coldRow, ioapicCount, pins } from '../memory/rows';
import { picOutput as picAsserts } from '../pic/pic';

// --- registers ---

/** `reg`: byte offset >> 4 in the xAPIC page, 0-255. */
export function readPage(cpu: u32, reg: u32): u32 {
  return cpu < cpus && reg < 256 ? access.readPage(cpu, reg) : 0;
}

export function writePage(cpu: u32, reg: u32, value: u32): i32 {
  if (cpu >= cpus || reg > 255) return BAD_ARGUMENT;
  access.writePage(cpu, reg, value);
  return settled(0);
}

/** 0 with the value in H_RESULT, or GP. */
export function readMsr(cpu: u32, msr: u32): i32 {
  return cpu < cpus ? access.readMsr(cpu, msr) : BAD_ARGUMENT;
}

export function writeMsr(cpu: u32, msr: u32, value: u64): i32 {
  return settled(cpu < cpus ? access.writeMsr(cpu, msr, value) : BAD_ARGUMENT);
}

/** A register as the present mode shows it, without the side effects of an access. */
export function peek(cpu: u32, reg: u32): u32 {
  return cpu < cpus && reg < 64 ? readRegister(cpu, reg) : 0;
}

/** IA32_APIC_BASE as a hypervisor's user space sets it: between any valid modes. */
export function setBase(cpu: u32, value: u64): i32 {
  return settled(cpu < cpus ? access.setBase(cpu, value, true) : BAD_ARGUMENT);
}

/** Recomputes what registers written from outside (an imported page) imply. */
export function registersChanged(cpu: u32, count: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  normalise(cpu);
  resumeCount(cpu, count);
  writeLdr(cpu, coldRow(cpu).ldr);
  noteOddness(cpu);
  refreshAndKick(cpu);
  news(cpu);
  return settled(0);
}

/** Posts a request (SDM 3C "Posted-Interrupt Processing"). 1 when a notification is due. */
export function postInterrupt(cpu: u32, vector: u32): i32 {
  if (cpu >= cpus || vector > 255) return BAD_ARGUMENT;
  return post(cpu, vector) ? 1 : 0;
}

export function syncPosted(cpu: u32): i32 {
  return settled(cpu < cpus ? syncRequests(cpu) : BAD_ARGUMENT);
}

/** EOI without a register write: 1 offered, or used. */
export function offerLazyEoi(cpu: u32): i32 {
  return cpu < cpus ? (offerLazy(cpu) ? 1 : 0) : BAD_ARGUMENT;
}

export function withdrawLazyEoi(cpu: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  withdrawLazy(cpu);
  return 0;
}

export function useLazyEoi(cpu: u32): i32 {
  if (cpu >= cpus || !useLazy(cpu)) return 0;
  eoiWritten(cpu);
  return settled(1);
}

// --- pins, events, messages ---

export function setLint(cpu: u32, pin: u32, high: u32): i32 {
  if (cpu >= cpus || pin > 1) return BAD_ARGUMENT;
  setPin(cpu, pin, high != 0);
  return settled(0);
}

/** An event of an LVT entry, whatever its pin does. 1 when something was delivered. */
export function localEvent(cpu: u32, index: u32): i32 {
  if (cpu >= cpus || index > <u32>LVT_CMCI) return BAD_ARGUMENT;
  return settled(deliverLocal(cpu, index) ? 1 : 0);
}

/** LINT0 falls, as an event. */
export function lintFalls(cpu: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  fall(cpu, LVT_LINT0);
  return 0;
}

export function extint(cpu: u32): i32 {
  return cpu < cpus ? (extintAsserted(cpu) ? 1 : 0) : BAD_ARGUMENT;
}

/** A message from outside, in ICR format. How many took it, NONE when nobody was addressed. */
export function message(dest: u32, low: u32, redirect: u32): i32 {
  return settled(external(dest, redirect != 0 ? low | REDIRECT : low));
}

export function setIoapicPin(n: u32, pin: u32, high: u32): i32 {
  if (n >= ioapicCount() || pin >= pins(n)) return BAD_ARGUMENT;
  setIrq(n, pin, high != 0);
  return settled(0);
}

export function readIoapic(n: u32, offset: u32): u32 {
  return n < ioapicCount() ? readIo(n, offset) : 0;
}

export function writeIoapic(n: u32, offset: u32, value: u32): i32 {
  if (n >= ioapicCount()) return BAD_ARGUMENT;
  writeIo(n, offset, value);
  newsOfAll();
  return settled(0);
}

export function setPicLine(line: u32, high: u32): i32 {
  if (line > 15) return BAD_ARGUMENT;
  drivePicLine(line, high != 0);
  return settled(0);
}

export function readPic(port: u32): u32 {
  return readPicPort(port);
}

export function writePic(port: u32, value: u32): void {
  writePicPort(port, value);
  assertSettled();
}

export function picOutput(): u32 {
  return picAsserts() ? 1 : 0;
}

/** An INTA cycle of the 8259 pair. */
export function acknowledgePic(): u32 {
  return <u32>settled(acknowledgePicLine());
}

// --- the CPU's side ---

/** The vector that an acknowledge gets: dispatched, or 0x100 | the spurious vector, or NONE. */
export function inta(cpu: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  const vector = Lapic.dispatch(cpu);
  if (vector != NONE || !isSpurious(cpu)) return vector;
  return settled(0x100 | (readRegister(cpu, REG_SVR) & 0xff));
}

/** The start-up vector that a CPU which waits for one gets, or NONE; a SIPI that came otherwise is gone. */
export function hearSipi(cpu: u32): i32 {
  return settled(cpu < cpus ? hear(cpu) : BAD_ARGUMENT);
}

/** 1 when the CPU can take something now. */
export function canTake(cpu: u32): i32 {
  return cpu < cpus ? (nextKind(cpu) != 0 ? 1 : 0) : BAD_ARGUMENT;
}

/** kind << 8 | vector of what the CPU takes next, NONE, or HANDLERS_FULL. */
export function take(cpu: u32): i32 {
  return settled(cpu < cpus ? takeNext(cpu) : BAD_ARGUMENT);
}

export function iret(cpu: u32): i32 {
  return settled(cpu < cpus ? returnFromHandler(cpu) : BAD_ARGUMENT);
}

/** The running handler writes EOI: 1 matched, 2 stray, 3 another's; the vector is in H_RESULT. */
export function handlerEoi(cpu: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  outcome.result = NONE;
  return settled(isHardwareEnabled(cpu) ? eoiWritten(cpu) : STRAY);
}

/** Sets or clears bits of the CPU's own state (IF, HALTED, SHADOW). */
export function setCpuState(cpu: u32, bits: u32, on: u32): i32 {
  const own = L.LATCH_IF | L.LATCH_HALTED | L.LATCH_SHADOW;
  if (cpu >= cpus || (bits & ~own) != 0) return BAD_ARGUMENT;
  if (on != 0) setLatch(cpu, bits);
  else clearLatch(cpu, bits);
  newsIfTakeable(cpu);
  return settled(0);
}

export function initReset(cpu: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  initCpu(cpu);
  newsIfTakeable(cpu);
  return settled(0);
}

export function powerOn(cpu: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  powerOnCpu(cpu);
  return settled(0);
}

// --- time, tracing ---

/**
 * Lets the clock run to `until` (ns), or to the `limit`th firing of timers and brakes. 1 when it got
 * there. The bus then retries for `busClocks`.
 */
export function advance(until: u64, limit: u32, busClocks: u64): i32 {
  if (!runClock(until, limit)) return 0;
  runBus(busClocks);
  return settled(1);
}

/** When the next timer fires or brake lets go, in ns; all ones for never. */
export function nextEvent(): u64 {
  return nextOfClock();
}

/** Clocks until the serial bus tries again, 0 for nothing to try. */
export function clocksToRetry(): u64 {
  return nextOfBus();
}

/** Effects are noted from now on (or no more): rows take the slow path meanwhile. */
export function trace(on: u32): void {
  outcome.trace = on;
  outcome.effectCount = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) refresh(cpu);
}

/** How many effects there are in the table; they are forgotten at the next operation. */
export function takeEffects(): u32 {
  const count = outcome.effectCount;
  outcome.effectCount = 0;
  return count;
}

/** After a restore: what is derived from the state. */
export function rebuild(): void {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    writeLdr(cpu, coldRow(cpu).ldr);
    refresh(cpu);
  }
}
