import * as T from './layout';
import { List, Message } from './records-message';

/** What an idle CPU does. */
export const enum Idle {
  Busy,
  Halted,
  Polling,
}

@unmanaged
export class Node {
  /** The end of the running step; NEVER: it waits. */
  end: u64;
  hash: u64;
  draws: u64;
  inbox: Message;
  sequence: u32;
  depth: u32;
  interruptFlag: u32;
  /** 1 between the first fence and the last write of a send. */
  uninterruptible: u32;
  /** IDLE_* */
  idle: u32;
  needResched: u32;
  /** call_single_queue; at the bus, the message that is on it. */
  queueFirst: Message;
  queueLast: Message;
  /** csd_data of asynchronous single calls. */
  csdLocked: u32;
  /** Locks that the call under way waits for. */
  outstanding: u32;
  /** Answers that the sender waits for; at the bus, the targets that have rejected. */
  replies: u32;
  /** Func + 1 of the call being handled. */
  currentFunc: u32;
  inNmi: u32;
  /** Workload + 1. */
  work: u32;
  category: u32;
  since: u64;
  timeIdle: u64;
  timeUser: u64;
  timeSend: u64;
  timeWait: u64;
  timeIrq: u64;
  timeIrqsOff: u64;
  noise: u64;
  noiseCount: u64;
  noiseMax: u64;
  noiseSource: u32;
  noiseWhat: u32;
  loops: u64;
  intended: u64;
  core: u32;
  ccd: u32;
  socket: u32;
  heapIndex: u32;
  /** Bus and locks: the messages that wait. */
  waitersFirst: Message;
  waitersLast: Message;
  held: u32;
  burst: u32;
  seen0: u64;
  seen2: u64;
  seen4: u64;
  seen6: u64;
  pendingStores: u32;
  unused260: u32;
  unused264: u64;
  turn: u32;
  /** Sequence number of the call under way. */
  call: u32;
  /** Target of a single call. */
  waitsFor: u32;
  reports: u32;
  arbitration: u32;
  /** Messages that this CPU has on the serial bus. */
  busWrites: u32;
  /** Vector + 1 of the message that a fault holds back. */
  heldBack: u32;
  heldSource: u32;
  heldSent: u64;
  heldIntended: u64;
  wakeFirst: Message;
  wakeLast: Message;
  raisedFirst: Message;
  raisedLast: Message;
  /** Func + 1 that the interrupt ran first. */
  func: u32;
  funcSource: u32;
  flushes: u64;
  noiseFunc: u32;
  dead: u32;
  maskLost: u32;
  currentSource: u32;
  /** The next recorded operation, and behind the last. */
  trace: usize;
  traceEnd: usize;
}
if (offsetof<Node>('end') != T.N_END) ERROR('Node.end');
if (offsetof<Node>('hash') != T.N_HASH) ERROR('Node.hash');
if (offsetof<Node>('draws') != T.N_DRAWS) ERROR('Node.draws');
if (offsetof<Node>('inbox') != T.N_INBOX) ERROR('Node.inbox');
if (offsetof<Node>('sequence') != T.N_SEQUENCE) ERROR('Node.sequence');
if (offsetof<Node>('depth') != T.N_DEPTH) ERROR('Node.depth');
if (offsetof<Node>('interruptFlag') != T.N_IF) ERROR('Node.interruptFlag');
if (offsetof<Node>('uninterruptible') != T.N_NOINT) ERROR('Node.uninterruptible');
if (offsetof<Node>('idle') != T.N_IDLE) ERROR('Node.idle');
if (offsetof<Node>('needResched') != T.N_NEED_RESCHED) ERROR('Node.needResched');
if (offsetof<Node>('queueFirst') != T.N_QUEUE) ERROR('Node.queueFirst');
if (offsetof<Node>('csdLocked') != T.N_CSD_LOCKED) ERROR('Node.csdLocked');
if (offsetof<Node>('outstanding') != T.N_OUTSTANDING) ERROR('Node.outstanding');
if (offsetof<Node>('replies') != T.N_REPLIES) ERROR('Node.replies');
if (offsetof<Node>('currentFunc') != T.N_CURRENT) ERROR('Node.currentFunc');
if (offsetof<Node>('inNmi') != T.N_IN_NMI) ERROR('Node.inNmi');
if (offsetof<Node>('work') != T.N_WORK) ERROR('Node.work');
if (offsetof<Node>('category') != T.N_CATEGORY) ERROR('Node.category');
if (offsetof<Node>('since') != T.N_SINCE) ERROR('Node.since');
if (offsetof<Node>('timeIdle') != T.N_TIME) ERROR('Node.timeIdle');
if (offsetof<Node>('noise') != T.N_NOISE) ERROR('Node.noise');
if (offsetof<Node>('noiseCount') != T.N_NOISE_COUNT) ERROR('Node.noiseCount');
if (offsetof<Node>('noiseMax') != T.N_NOISE_MAX) ERROR('Node.noiseMax');
if (offsetof<Node>('noiseSource') != T.N_NOISE_SOURCE) ERROR('Node.noiseSource');
if (offsetof<Node>('noiseWhat') != T.N_NOISE_WHAT) ERROR('Node.noiseWhat');
if (offsetof<Node>('loops') != T.N_LOOPS) ERROR('Node.loops');
if (offsetof<Node>('intended') != T.N_INTENDED) ERROR('Node.intended');
if (offsetof<Node>('core') != T.N_CORE) ERROR('Node.core');
if (offsetof<Node>('ccd') != T.N_CCD) ERROR('Node.ccd');
if (offsetof<Node>('socket') != T.N_SOCKET) ERROR('Node.socket');
if (offsetof<Node>('heapIndex') != T.N_HEAP_AT) ERROR('Node.heapIndex');
if (offsetof<Node>('waitersFirst') != T.N_LOCK_WAITERS) ERROR('Node.waitersFirst');
if (offsetof<Node>('waitersLast') != T.N_LOCK_LAST) ERROR('Node.waitersLast');
if (offsetof<Node>('held') != T.N_LOCK_HELD) ERROR('Node.held');
if (offsetof<Node>('burst') != T.N_BURST) ERROR('Node.burst');
if (offsetof<Node>('seen0') != T.N_SEEN) ERROR('Node.seen0');
if (offsetof<Node>('pendingStores') != T.N_PENDING_STORES) ERROR('Node.pendingStores');
if (offsetof<Node>('turn') != T.N_TURN) ERROR('Node.turn');
if (offsetof<Node>('call') != T.N_CALL) ERROR('Node.call');
if (offsetof<Node>('waitsFor') != T.N_WAITS_FOR) ERROR('Node.waitsFor');
if (offsetof<Node>('reports') != T.N_REPORTS) ERROR('Node.reports');
if (offsetof<Node>('arbitration') != T.N_ARB) ERROR('Node.arbitration');
if (offsetof<Node>('busWrites') != T.N_BUS_WRITES) ERROR('Node.busWrites');
if (offsetof<Node>('heldBack') != T.N_HELD) ERROR('Node.heldBack');
if (offsetof<Node>('heldSource') != T.N_HELD_SOURCE) ERROR('Node.heldSource');
if (offsetof<Node>('heldSent') != T.N_HELD_T0) ERROR('Node.heldSent');
if (offsetof<Node>('heldIntended') != T.N_HELD_T1) ERROR('Node.heldIntended');
if (offsetof<Node>('wakeFirst') != T.N_WAKE_LIST) ERROR('Node.wakeFirst');
if (offsetof<Node>('raisedFirst') != T.N_RAISED_LIST) ERROR('Node.raisedFirst');
if (offsetof<Node>('func') != T.N_FUNC) ERROR('Node.func');
if (offsetof<Node>('funcSource') != T.N_FUNC_SOURCE) ERROR('Node.funcSource');
if (offsetof<Node>('flushes') != T.N_FLUSHES) ERROR('Node.flushes');
if (offsetof<Node>('noiseFunc') != T.N_NOISE_FUNC) ERROR('Node.noiseFunc');
if (offsetof<Node>('dead') != T.N_DEAD) ERROR('Node.dead');
if (offsetof<Node>('maskLost') != T.N_MASK_LOST) ERROR('Node.maskLost');
if (offsetof<Node>('currentSource') != T.N_CURRENT_SOURCE) ERROR('Node.currentSource');
if (offsetof<Node>('trace') != T.N_TRACE) ERROR('Node.trace');
if (offsetof<Node>('traceEnd') != T.N_TRACE_END) ERROR('Node.traceEnd');
if (offsetof<Node>('queueLast') != T.N_QUEUE + offsetof<List>('last')) ERROR('Node.queueLast');
if (offsetof<Node>('wakeLast') != T.N_WAKE_LIST + offsetof<List>('last')) ERROR('Node.wakeLast');
if (offsetof<Node>('raisedLast') != T.N_RAISED_LIST + offsetof<List>('last')) {
  ERROR('Node.raisedLast');
}
if (<i32>offsetof<Node>() > T.N_FRAMES) ERROR('N_FRAMES');
if (T.N_FRAMES + (T.FRAME_MAX << T.FRAME_SHIFT) > T.NODE_BYTES) ERROR('NODE_BYTES');
