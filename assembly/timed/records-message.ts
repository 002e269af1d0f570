// Messages under way and queued calls: a common head, then what the kind says (codes.ts MSG_*). Where a
// record names another, NONE says that there is none.

import * as T from './layout';

@unmanaged
export class Message {
  time: u64;
  /** Source << 32 | its sequence number: orders messages of one time. */
  order: u64;
  child: Message;
  next: Message;
  kind: u32;

  get source(): u32 {
    return <u32>(this.order >> 32);
  }
}
if (offsetof<Message>('time') != T.M_TIME) ERROR('Message.time');
if (offsetof<Message>('order') != T.M_SOURCE) ERROR('Message.order');
if (offsetof<Message>('child') != T.M_CHILD) ERROR('Message.child');
if (offsetof<Message>('next') != T.M_NEXT) ERROR('Message.next');
if (offsetof<Message>('kind') != T.M_KIND) ERROR('Message.kind');

/** No message; compared and passed on, never read. */
export const NONE = changetype<Message>(0);

/** What post() writes. The records below give its arguments their names. */
@unmanaged
export class Posted extends Message {
  a: u32;
  b: u32;
  c: u32;
  t0: u64;
  t1: u64;
  d: u64;
}
if (offsetof<Posted>('a') != T.M_A) ERROR('Posted.a');
if (offsetof<Posted>('b') != T.M_B) ERROR('Posted.b');
if (offsetof<Posted>('c') != T.M_C) ERROR('Posted.c');
if (offsetof<Posted>('t0') != T.M_T0) ERROR('Posted.t0');
if (offsetof<Posted>('t1') != T.M_T1) ERROR('Posted.t1');
if (offsetof<Posted>('d') != T.M_D) ERROR('Posted.d');
if (offsetof<Posted>() != T.MSG_BYTES) ERROR('MSG_BYTES');

/** MSG_IPI. */
@unmanaged
export class Ipi extends Message {
  /** A vector, or ICR_NMI. */
  what: u32;
  sender: u32;
  flags: u32;
  sent: u64;
  intended: u64;
}
if (offsetof<Ipi>('what') != T.M_A) ERROR('Ipi.what');
if (offsetof<Ipi>('sender') != T.M_B) ERROR('Ipi.sender');
if (offsetof<Ipi>('flags') != T.M_C) ERROR('Ipi.flags');
if (offsetof<Ipi>('sent') != T.M_T0) ERROR('Ipi.sent');
if (offsetof<Ipi>('intended') != T.M_T1) ERROR('Ipi.intended');

/** MSG_BUS: one message on the serial bus, to each CPU of a set. */
@unmanaged
export class BusMessage extends Message {
  what: u32;
  targets: u32;
  sender: u32;
  sent: u64;
  intended: u64;
  unused56: u64;
}
if (offsetof<BusMessage>('what') != T.M_A) ERROR('BusMessage.what');
if (offsetof<BusMessage>('targets') != T.M_B) ERROR('BusMessage.targets');
if (offsetof<BusMessage>('sender') != T.M_C) ERROR('BusMessage.sender');
if (offsetof<BusMessage>('sent') != T.M_T0) ERROR('BusMessage.sent');
if (offsetof<BusMessage>('intended') != T.M_T1) ERROR('BusMessage.intended');
if (offsetof<BusMessage>('unused56') != T.M_D) ERROR('BusMessage.unused56');

/** MSG_QUEUE, and while it is queued the csd, irq_work or task. */
@unmanaged
export class QueuedCall extends Message {
  /** CSD_* */
  type: u32;
  func: u32;
  /** QUEUE_* | (lock + 1 of the function) << QUEUE_LOCK_SHIFT. */
  flags: u32;
  queued: u64;
  /** How long the answer takes. */
  back: u64;
  /** The caller's sequence number of the call. */
  call: u64;
}
if (offsetof<QueuedCall>('type') != T.M_A) ERROR('QueuedCall.type');
if (offsetof<QueuedCall>('func') != T.M_B) ERROR('QueuedCall.func');
if (offsetof<QueuedCall>('flags') != T.M_C) ERROR('QueuedCall.flags');
if (offsetof<QueuedCall>('queued') != T.M_T0) ERROR('QueuedCall.queued');
if (offsetof<QueuedCall>('back') != T.M_T1) ERROR('QueuedCall.back');
if (offsetof<QueuedCall>('call') != T.M_D) ERROR('QueuedCall.call');

/** What the target's queue or flag says to the sender. */
export const enum Answer {
  /** Somebody's IPI is on its way already. */
  NoIpi,
  Ipi,
  /** The target polls: it sees it by itself. */
  Polling,
}

/** MSG_QUEUED, MSG_NEED_RESCHED_SET. */
@unmanaged
export class AnswerMessage extends Message {
  target: u32;
  /** Answer.* */
  answer: u32;
}
if (offsetof<AnswerMessage>('target') != T.M_A) ERROR('AnswerMessage.target');
if (offsetof<AnswerMessage>('answer') != T.M_B) ERROR('AnswerMessage.answer');

/** MSG_UNLOCK. */
@unmanaged
export class Unlock extends Message {
  target: u32;
  /** UNLOCK_* */
  which: u32;
  unused36: u32;
  unused40: u64;
  unused48: u64;
  call: u64;
}
if (offsetof<Unlock>('target') != T.M_A) ERROR('Unlock.target');
if (offsetof<Unlock>('which') != T.M_B) ERROR('Unlock.which');
if (offsetof<Unlock>('call') != T.M_D) ERROR('Unlock.call');

/** MSG_PEEKED. */
@unmanaged
export class Peeked extends Message {
  /** Func + 1, or 0. */
  func: u32;
  /** 1: it is the asker's. */
  mine: u32;
}
if (offsetof<Peeked>('func') != T.M_A) ERROR('Peeked.func');
if (offsetof<Peeked>('mine') != T.M_B) ERROR('Peeked.mine');

/** First and last of a list of messages: call_single_queue and its like, waiters. */
@unmanaged
export class List {
  first: Message;
  last: Message;
}
