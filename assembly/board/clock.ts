// The board's clock: timers and I/O APIC brakes in order of time.
import { nextBrake, releaseBrakes } from '../ioapic/ioapic';
import { expiry, fire, now } from '../lapic/timer';
import { cpus } from '../memory/arena';
import { NONE } from '../memory/codes';
import { devices } from '../memory/records';

/** CPU whose timer is the first to fire not after `until`; the lowest of several. */
function firstTimer(until: u64): i32 {
  let first: i32 = NONE;
  let at: u64 = until;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const own = expiry(cpu);
    if (own == 0 || own > at || (own == at && first != NONE)) continue;
    first = cpu;
    at = own;
  }
  return first;
}

/** When the next timer fires or brake lets go; u64.MAX_VALUE for never. */
export function nextEvent(): u64 {
  let next = u64.MAX_VALUE;
  if (devices.timers != 0) next = expiry(firstTimer(next));
  const brake = nextBrake(next);
  return brake == 0 ? next : brake;
}

/**
 * Lets time pass up to `until`, or to the `limit`th firing. Whether it got there; the clock stands
 * where it stopped. I/O APIC brakes end after the timers of the same time.
 */
export function runClock(until: u64, limit: u32): bool {
  while (devices.timers != 0 || devices.braked != 0) {
    const cpu = firstTimer(until);
    const brake = nextBrake(until);
    if (cpu == NONE && brake == 0) break;
    if (limit-- == 0) return false;
    if (cpu != NONE && (brake == 0 || expiry(cpu) <= brake)) {
      devices.now = max(now(), expiry(cpu));
      fire(cpu);
    } else {
      devices.now = brake;
      releaseBrakes(brake);
    }
  }
  devices.now = until;
  return true;
}
