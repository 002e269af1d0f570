// Where things are in linear memory. Bases are globals so that an address is
// one add; they are set once, by create, and mirrored in the header for the host.
import { NO_MEMORY } from './codes';
import * as L from './layout';
import { config } from './records';

export let cpus: u32 = 0;
export let mode: u32 = 0;
export let rows: usize = 0;
export let cold: usize = 0;
export let wake: usize = 0;
export let handlers: usize = 0;
export let news: usize = 0;
export let ioapics: usize = 0;
export let ident: usize = 0;
export let directory: usize = 0;
export let directoryMask: u32 = 0;
export let clusters: usize = 0;
export let maskArg: usize = 0;
export let maskCopy: usize = 0;
export let maskOf: usize = 0;
export let maskOnline: usize = 0;
export let maskWords: u32 = 0;
export let log: usize = 0;
export let logCapacity: u32 = 0;
export let effects: usize = 0;
export let effectCapacity: u32 = 0;
/** 0 unless deliveries are counted by vector. */
export let counts: usize = 0;

/** Notes a region's base in the header and returns where the next one may start. */
function take(field: usize, at: usize, bytes: usize): usize {
  store<u32>(field, <u32>at);
  return (at + bytes + 63) & ~63;
}

/** Lays the regions out for `count` CPUs and grows the memory. 0, or NO_MEMORY. */
export function plan(count: u32, machineMode: u32, countVectors: bool, ioapicCount: u32): i32 {
  cpus = count;
  mode = machineMode;
  maskWords = (count + 63) >> 6;
  const slots: u32 = (<u32>1) << (33 - clz<u32>(count));
  directoryMask = slots - 1;
  logCapacity = count + 16;
  effectCapacity = 2 * count + 64;
  const maskBytes: usize = (<usize>maskWords) << 3;

  // asconfig.json's memoryBase keeps static data out of the header, too.
  let at: usize = (max(__heap_base, <usize>L.HEADER_BYTES) + 127) & ~127;
  rows = at;
  at = take(L.H_ROWS, at, (<usize>count) << L.ROW_SHIFT);
  cold = at;
  at = take(L.H_COLD, at, (<usize>count) << L.COLD_SHIFT);
  wake = at;
  at = take(L.H_WAKE, at, (<usize>count) << 3);
  handlers = at;
  at = take(L.H_HANDLERS, at, (<usize>count) << L.HANDLERS_SHIFT);
  ioapics = at;
  at = take(L.H_IOAPICS, at, (<usize>ioapicCount) << L.IOAPIC_SHIFT);
  ident = at;
  at = take(L.H_IDENT, at, (<usize>count) << L.IDENT_SHIFT);
  directory = at;
  at = take(L.H_DIRECTORY, at, (<usize>slots) << L.SLOT_SHIFT);
  clusters = at;
  at = take(L.H_CLUSTERS, at, (<usize>count) << L.CLUSTER_SHIFT);
  maskArg = at;
  at = take(L.H_MASK_ARG, at, maskBytes);
  maskCopy = at;
  at = take(L.H_MASK_COPY, at, maskBytes);
  maskOf = at;
  at = take(L.H_MASK_OF, at, maskBytes);
  maskOnline = at;
  at = take(L.H_MASK_ONLINE, at, maskBytes);
  log = at;
  at = take(L.H_LOG, at, (<usize>logCapacity) << L.LOG_SHIFT);
  effects = at;
  at = take(L.H_EFFECTS, at, (<usize>effectCapacity) << L.LOG_SHIFT);
  news = at;
  at = take(L.H_NEWS, at, L.NEWS_ENTRIES + (L.NEWS_SIZE << 2));
  if (countVectors) {
    counts = at;
    at = take(L.H_COUNTS, at, (<usize>count) << L.COUNTS_SHIFT);
  }
  config.end = <u32>at;
  config.cpus = count;
  config.mode = machineMode;
  config.maskWords = maskWords;
  config.directoryMask = directoryMask;
  config.logCapacity = logCapacity;
  config.effectCapacity = effectCapacity;
  config.ioapicCount = ioapicCount;

  const pages = <i32>((at + 65535) >> 16);
  const missing = pages - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) return NO_MEMORY;
  return 0;
}
