// Locks that CPUs contend for: a mutex around a system call, a spinlock in a called function. Each is a
// node behind the bus that grants them in order of arrival; asking and handing over take a cache line.

import { counted, lockNode, me, now, self } from './arena';
import { COST_LINE_CCD, CT_LOCK_WAITS, MSG_GRANT, MSG_LOCK, MSG_RELEASE } from './codes';
import { cost } from './costs';
import { freeRecord, post } from './inbox';
import * as T from './layout';
import { append, listAt, unhook } from './lists';
import { Message, NONE } from './records-message';

/** The running CPU asks for a lock; MSG_GRANT comes when it has it. */
export function askFor(lock: u32): void {
  post(MSG_LOCK, lockNode(lock), cost(COST_LINE_CCD), 0, 0, 0, 0, 0, 0);
}

export function release(lock: u32): void {
  post(MSG_RELEASE, lockNode(lock), cost(COST_LINE_CCD), 0, 0, 0, 0, 0, 0);
}

/** At the lock's node. */
export function lockMessage(record: Message): void {
  if (record.kind == <u32>MSG_RELEASE) {
    if (!ASC_NO_ASSERT) assert(me.held == 1);
    freeRecord(record);
    me.held = 0;
    // Of a lock: how long it was held.
    me.timeIdle += now - me.since;
    return grantNext();
  }
  if (me.held != 0) counted(CT_LOCK_WAITS);
  append(listAt(me, T.N_LOCK_WAITERS), record);
  if (me.held == 0) grantNext();
}

function grantNext(): void {
  const record = me.waitersFirst;
  if (record == NONE) return;
  unhook(listAt(me, T.N_LOCK_WAITERS), record, NONE);
  me.held = 1;
  me.since = now;
  const waiter = record.source;
  const lock = self - lockNode(0);
  post(MSG_GRANT, waiter, cost(COST_LINE_CCD), lock, 0, 0, 0, 0, 0);
  freeRecord(record);
}
