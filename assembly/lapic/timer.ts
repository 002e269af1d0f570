// The local APIC timer on virtual time. SDM 3A "APIC Timer". One tick of its input clock is 1 ns; the
// time-stamp counter counts nanoseconds.

import { coldRow } from '../memory/arena';
import { F_LVT_BITS, F_TIMER_DEADLINE, LVT_RAW, LVT_TIMER } from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { deliverLocal } from './lvt';
import { isHardwareEnabled, lvt } from './state';

const MODE_PERIODIC: u32 = 1;
const MODE_DEADLINE: u32 = 2;
const MODE_RESERVED: u32 = 3;

export function now(): u64 {
  return load<u64>(L.H_NOW);
}

function timerMode(entry: u32): u32 {
  const mode = (entry >> 17) & 3;
  return mode == MODE_DEADLINE && model(F_LVT_BITS) == <u32>LVT_RAW ? 0 : mode;
}

export function isDeadlineMode(cpu: u32): bool {
  return model(F_TIMER_DEADLINE) != 0 && timerMode(lvt(cpu, LVT_TIMER)) == MODE_DEADLINE;
}

export function divideShift(cpu: u32): u32 {
  const value = load<u32>(coldRow(cpu), L.C_DIVIDE);
  return (((value & 3) | ((value >> 1) & 4)) + 1) & 7;
}

export function expiry(cpu: u32): u64 {
  return load<u64>(coldRow(cpu), L.C_EXPIRY);
}

/** Arms the timer for `at` ns, or stops it with 0; H_TIMERS counts those that run. */
function arm(cpu: u32, at: u64): void {
  const ran = expiry(cpu) != 0;
  store<u64>(coldRow(cpu), at, L.C_EXPIRY);
  if (ran != (at != 0)) store<u32>(L.H_TIMERS, load<u32>(L.H_TIMERS) + (ran ? -1 : 1));
}

export function stopTimer(cpu: u32): void {
  arm(cpu, 0);
  store<u64>(coldRow(cpu), 0, L.C_DEADLINE);
}

/** Ticks left, rounded up: what the current-count register shows. */
export function currentCount(cpu: u32): u32 {
  if (expiry(cpu) == 0 || isDeadlineMode(cpu)) return 0;
  const shift = divideShift(cpu);
  return <u32>((expiry(cpu) - now() + ((<u64>1) << shift) - 1) >> shift);
}

function startCount(cpu: u32, count: u32): void {
  arm(cpu, count == 0 ? 0 : now() + ((<u64>count) << divideShift(cpu)));
}

export function writeInitialCount(cpu: u32, count: u32): void {
  if (isDeadlineMode(cpu)) return;
  store<u32>(coldRow(cpu), count, L.C_INITIAL_COUNT);
  startCount(cpu, count);
}

/** An imported timer goes on with `count` ticks. */
export function resumeCount(cpu: u32, count: u32): void {
  stopTimer(cpu);
  if (!isDeadlineMode(cpu)) startCount(cpu, min(count, load<u32>(coldRow(cpu), L.C_INITIAL_COUNT)));
}

/** The ticks that are left stay, their length changes. */
export function writeDivide(cpu: u32, value: u32): void {
  const left = currentCount(cpu);
  const counting = expiry(cpu) != 0 && !isDeadlineMode(cpu);
  store<u32>(coldRow(cpu), value & 0xb, L.C_DIVIDE);
  if (counting) startCount(cpu, left);
}

/** Acts on a change of the timer's LVT entry: to and from deadline mode disarms. */
export function timerModeChanged(cpu: u32, wasDeadline: bool): void {
  if (wasDeadline == isDeadlineMode(cpu)) return;
  stopTimer(cpu);
  store<u32>(coldRow(cpu), 0, L.C_INITIAL_COUNT);
}

// SDM 3A "TSC-Deadline Mode": 0 disarms; a time that has passed fires at once.
export function writeDeadline(cpu: u32, tsc: u64): void {
  if (!isDeadlineMode(cpu) || !isHardwareEnabled(cpu)) return;
  store<u64>(coldRow(cpu), tsc, L.C_DEADLINE);
  arm(cpu, tsc);
  if (tsc != 0 && tsc <= now()) fire(cpu);
}

export function fire(cpu: u32): void {
  const entry = lvt(cpu, LVT_TIMER);
  const mode = timerMode(entry);
  const period = (<u64>load<u32>(coldRow(cpu), L.C_INITIAL_COUNT)) << divideShift(cpu);
  if (mode == MODE_PERIODIC && period != 0)
    arm(cpu, expiry(cpu) + period); // bug: the-periodic-timer-drifts-by-a-tick
  else stopTimer(cpu);
  if (mode != MODE_RESERVED) deliverLocal(cpu, LVT_TIMER);
}
