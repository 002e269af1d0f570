// Lists of messages from first to last: call_single_queue and its like, those who wait for the bus or a
// lock.

import { List, Message, NONE } from './records-message';
import { Node } from './records-node';

/** The list at an offset of a node's row. */
export function listAt(node: Node, offset: usize): List {
  return changetype<List>(changetype<usize>(node) + offset);
}

export function append(list: List, message: Message): void {
  if (!ASC_NO_ASSERT) assert((list.first == NONE) == (list.last == NONE));
  if (!ASC_NO_ASSERT) assert(list.last == NONE || list.last.next == NONE);
  message.next = NONE;
  if (list.last == NONE) list.first = message;
  else list.last.next = message;
  list.last = message;
}

/** Takes out a message; `before` is the one in front of it, or NONE. */
export function unhook(list: List, message: Message, before: Message): void {
  if (!ASC_NO_ASSERT) assert((before == NONE ? list.first : before.next) == message);
  if (before == NONE) list.first = message.next;
  else before.next = message.next;
  if (list.last == message) list.last = before;
}
