// Perfetto's own format: Trace { repeated TracePacket packet = 1 }, a track per CPU. Field numbers from
// perfetto/protos/perfetto/trace: trace_packet.proto, track_event.proto, track_descriptor.proto and
// debug_annotation.proto.
import type { Mark } from './marks.js';

const PACKET = 1;
const TIMESTAMP = 8;
const SEQUENCE_ID = 10;
const TRACK_EVENT = 11;
const TRACK_DESCRIPTOR = 60;
const EVENT_ANNOTATION = 4;
const EVENT_TYPE = 9;
const EVENT_TRACK = 11;
const EVENT_CATEGORY = 22;
const EVENT_NAME = 23;
const EVENT_FLOW = 47;
const TRACK_UUID = 1;
const TRACK_NAME = 2;
const ANNOTATION_NAME = 10;
const ANNOTATION_UINT = 3;
const ANNOTATION_STRING = 6;

const TYPES = { begin: 1, end: 2, instant: 3 } as const;
const SEQUENCE = 1;
/** Not the trace-global track, 0. */
const FIRST_TRACK = 0x1000;
const CHUNK = 1 << 16;

const utf8 = new TextEncoder();

/** Protocol buffers' wire format, as much as is needed. */
class Message {
  readonly bytes: number[] = [];

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.bytes.push((rest % 128) | 0x80);
      rest = Math.floor(rest / 128);
    }
    this.bytes.push(rest);
  }

  uint(field: number, value: number): this {
    this.#varint(field * 8);
    this.#varint(value);
    return this;
  }

  fixed64(field: number, value: number): this {
    this.#varint(field * 8 + 1);
    for (let i = 0; i < 8; i++) this.bytes.push(Math.floor(value / 256 ** i) % 256);
    return this;
  }

  text(field: number, value: string): this {
    return this.#block(field, utf8.encode(value));
  }

  nested(field: number, message: Message): this {
    return this.#block(field, message.bytes);
  }

  #block(field: number, bytes: ArrayLike<number>): this {
    this.#varint(field * 8 + 2);
    this.#varint(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.bytes.push(bytes[i]!);
    return this;
  }
}

function packetOf(mark: Mark): Message {
  const event = new Message()
    .uint(EVENT_TYPE, TYPES[mark.phase])
    .uint(EVENT_TRACK, FIRST_TRACK + mark.cpu);
  if (mark.phase !== 'end') {
    event.text(EVENT_CATEGORY, mark.category).text(EVENT_NAME, mark.name);
    for (const [name, value] of Object.entries(mark.args)) {
      const annotation = new Message().text(ANNOTATION_NAME, name);
      if (typeof value === 'string') annotation.text(ANNOTATION_STRING, value);
      else annotation.uint(ANNOTATION_UINT, Math.round(value));
      event.nested(EVENT_ANNOTATION, annotation);
    }
  }
  for (const flow of mark.flows) event.fixed64(EVENT_FLOW, flow);
  return new Message()
    .uint(TIMESTAMP, Math.floor(mark.ps / 1000))
    .uint(SEQUENCE_ID, SEQUENCE)
    .nested(TRACK_EVENT, event);
}

/** Yields bytes; all of them together are one trace. Time stamps are whole nanoseconds. */
export function* perfettoTrace(marks: Iterable<Mark>, cpus: number): Generator<Uint8Array> {
  let out = new Message();
  const put = (packet: Message) => {
    out.nested(PACKET, packet);
  };
  for (let cpu = 0; cpu < cpus; cpu++) {
    const track = new Message().uint(TRACK_UUID, FIRST_TRACK + cpu).text(TRACK_NAME, `CPU ${cpu}`);
    put(new Message().uint(SEQUENCE_ID, SEQUENCE).nested(TRACK_DESCRIPTOR, track));
  }
  for (const mark of marks) {
    put(packetOf(mark));
    if (out.bytes.length < CHUNK) continue;
    yield Uint8Array.from(out.bytes);
    out = new Message();
  }
  yield Uint8Array.from(out.bytes);
}
