// Locks that CPUs contend for: a mutex around a system call, a spinlock in a called function. Each is a
// node behind the bus that grants them in order of arrival; asking and handing over take a cache line.
import { at, counted, lockNode, now, self } from './arena';
import { COST_LINE_CCD, CT_LOCK_WAITS, MSG_GRANT, MSG_LOCK, MSG_RELEASE } from './codes';
import { cost } from './costs';
import { freeRecord, post } from './inbox';
import * as T from './layout';

/** The running CPU asks for a lock; MSG_GRANT comes when it has it. */
export function askFor(lock: u32): void {
  post(MSG_LOCK, lockNode(lock), cost(COST_LINE_CCD), 0, 0, 0, 0, 0, 0);
}

export function release(lock: u32): void {
  post(MSG_RELEASE, lockNode(lock), cost(COST_LINE_CCD), 0, 0, 0, 0, 0, 0);
}

/** At the lock's node. */
export function lockMessage(record: usize): void {
  if (load<u32>(record, T.M_KIND) == <u32>MSG_RELEASE) {
    freeRecord(record);
    store<u32>(at, 0, T.N_LOCK_HELD);
    store<u64>(at, load<u64>(at, T.N_TIME) + now - load<u64>(at, T.N_SINCE), T.N_TIME);
    return grantNext();
  }
  if (load<u32>(at, T.N_LOCK_HELD) != 0) counted(CT_LOCK_WAITS);
  store<u32>(record, 0, T.M_NEXT);
  const last = <usize>load<u32>(at, T.N_LOCK_LAST);
  if (last == 0) store<u32>(at, <u32>record, T.N_LOCK_WAITERS);
  else store<u32>(last, <u32>record, T.M_NEXT);
  store<u32>(at, <u32>record, T.N_LOCK_LAST);
  if (load<u32>(at, T.N_LOCK_HELD) == 0) grantNext();
}

function grantNext(): void {
  const record = <usize>load<u32>(at, T.N_LOCK_WAITERS);
  if (record == 0) return;
  const next = load<u32>(record, T.M_NEXT);
  store<u32>(at, next, T.N_LOCK_WAITERS);
  if (next == 0) store<u32>(at, 0, T.N_LOCK_LAST);
  store<u32>(at, 1, T.N_LOCK_HELD);
  store<u64>(at, now, T.N_SINCE);
  const waiter = <u32>(load<u64>(record, T.M_SOURCE) >> 32);
  const lock = self - lockNode(0);
  post(MSG_GRANT, waiter, cost(COST_LINE_CCD), lock, 0, 0, 0, 0, 0);
  freeRecord(record);
}
