// The local APIC timer on virtual time, in ns. SDM 3A "APIC Timer". Its input clock and the time-stamp counter
// have frequencies of their own; fractions of a ns are carried on, so that periods don't drift.

import { F_LVT_BITS, F_TIMER_DEADLINE, LVT_RAW, LVT_TIMER } from '../memory/codes';
import { model } from '../memory/model';
import { config, devices } from '../memory/records';
import { coldRow } from '../memory/rows';
import { deliverLocal } from './lvt';
import { isHardwareEnabled, lvt } from './state';

const MODE_PERIODIC: u32 = 1;
const MODE_DEADLINE: u32 = 2;
const MODE_RESERVED: u32 = 3;

export function now(): u64 {
  return devices.now;
}

function timerMode(entry: u32): u32 {
  const mode = (entry >> 17) & 3;
  return mode == MODE_DEADLINE && model(F_LVT_BITS) == <u32>LVT_RAW ? 0 : mode;
}

export function isDeadlineMode(cpu: u32): bool {
  return model(F_TIMER_DEADLINE) != 0 && timerMode(lvt(cpu, LVT_TIMER)) == MODE_DEADLINE;
}

function divideShift(cpu: u32): u32 {
  const value = coldRow(cpu).divide;
  return (((value & 3) | ((value >> 1) & 4)) + 1) & 7;
}

export function expiry(cpu: u32): u64 {
  return coldRow(cpu).expiry;
}

/** Arms the timer for `at` ns, or stops it with 0; H_TIMERS counts those that run. */
function arm(cpu: u32, at: u64): void {
  const ran = expiry(cpu) != 0;
  coldRow(cpu).expiry = at;
  if (ran != (at != 0)) devices.timers = devices.timers + (ran ? -1 : 1);
}

/** kHz of a clock whose tick is one ns. */
const GHZ: u64 = 1_000_000;

/** `ticks` of the timer's clock after `from`; what is over of a ns goes into the next period. */
function later(cpu: u32, from: u64, ticks: u64): u64 {
  const khz: u64 = config.timerKhz;
  const total = ticks * GHZ + coldRow(cpu).fraction;
  coldRow(cpu).fraction = <u32>(total % khz);
  return from + max(total / khz, 1);
}

/** The first ns at which the time-stamp counter has reached `tsc`, not 0. */
function timeOfTsc(tsc: u64): u64 {
  const khz: u64 = config.tscKhz;
  const whole = tsc / khz;
  if (whole >= u64.MAX_VALUE / GHZ) return u64.MAX_VALUE;
  return whole * GHZ + ((tsc % khz) * GHZ + khz - 1) / khz;
}

export function stopTimer(cpu: u32): void {
  arm(cpu, 0);
  coldRow(cpu).fraction = 0;
  coldRow(cpu).deadline = 0;
}

/** Ticks left, rounded up: what the current-count register shows. */
export function currentCount(cpu: u32): u32 {
  if (expiry(cpu) == 0 || isDeadlineMode(cpu)) return 0;
  const left = (expiry(cpu) - now()) * config.timerKhz + coldRow(cpu).fraction;
  const tick = GHZ << divideShift(cpu);
  // A clock faster than 1 GHz: what is counted in less than a ns takes one.
  return min(<u32>((left + tick - 1) / tick), coldRow(cpu).initialCount);
}

function startCount(cpu: u32, count: u32): void {
  coldRow(cpu).fraction = 0;
  arm(cpu, count == 0 ? 0 : later(cpu, now(), (<u64>count) << divideShift(cpu)));
}

export function writeInitialCount(cpu: u32, count: u32): void {
  if (isDeadlineMode(cpu)) return;
  coldRow(cpu).initialCount = count;
  startCount(cpu, count);
}

/** An imported timer goes on with `count` ticks; a periodic one that has none left begins anew, as KVM set_target_expiration(). */
export function resumeCount(cpu: u32, count: u32): void {
  stopTimer(cpu);
  if (isDeadlineMode(cpu)) return;
  const initial = coldRow(cpu).initialCount;
  const anew = count == 0 && timerMode(lvt(cpu, LVT_TIMER)) == MODE_PERIODIC;
  startCount(cpu, anew ? initial : min(count, initial));
}

/** The ticks that are left stay, their length changes. */
export function writeDivide(cpu: u32, value: u32): void {
  const left = currentCount(cpu);
  const counting = expiry(cpu) != 0 && !isDeadlineMode(cpu);
  coldRow(cpu).divide = value & 0xb;
  if (counting) startCount(cpu, left);
}

/** Acts on a change of the timer's LVT entry: to and from deadline mode disarms. */
export function timerModeChanged(cpu: u32, wasDeadline: bool): void {
  if (wasDeadline == isDeadlineMode(cpu)) return;
  stopTimer(cpu);
  coldRow(cpu).initialCount = 0;
}

// SDM 3A "TSC-Deadline Mode": 0 disarms; a time that has passed fires at once.
export function writeDeadline(cpu: u32, tsc: u64): void {
  if (!isDeadlineMode(cpu) || !isHardwareEnabled(cpu)) return;
  coldRow(cpu).deadline = tsc;
  arm(cpu, tsc == 0 ? 0 : timeOfTsc(tsc));
  if (tsc != 0 && expiry(cpu) <= now()) fire(cpu);
}

export function fire(cpu: u32): void {
  const entry = lvt(cpu, LVT_TIMER);
  const mode = timerMode(entry);
  const period = (<u64>coldRow(cpu).initialCount) << divideShift(cpu);
  if (mode == MODE_PERIODIC && period != 0)
    arm(cpu, later(cpu, expiry(cpu), period)); // bug: the-periodic-timer-drifts-by-a-tick
  else stopTimer(cpu);
  if (mode != MODE_RESERVED) deliverLocal(cpu, LVT_TIMER);
}
