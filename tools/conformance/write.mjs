// Writes the conformance table: conformance/cases/*.json, deterministically, from the generators here.
// `node tools/conformance/write.mjs`.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import amd from './amd.mjs';
import delivery from './delivery.mjs';
import destination from './destination.mjs';
import disable from './disable.mjs';
import eoi from './eoi.mjs';
import errors from './errors.mjs';
import icr from './icr.mjs';
import identity from './identity.mjs';
import ioapic from './ioapic.mjs';
import lowest from './lowest.mjs';
import lvt from './lvt.mjs';
import mmio from './mmio.mjs';
import modes from './modes.mjs';
import msi from './msi.mjs';
import pic from './pic.mjs';
import { formatTopic } from './print.mjs';
import priority from './priority.mjs';
import reset from './reset.mjs';
import serialBus from './serial-bus.mjs';
import spurious from './spurious.mjs';
import startup from './startup.mjs';
import timer from './timer.mjs';
import x2apic from './x2apic.mjs';

const TOPICS = [
  reset,
  mmio,
  x2apic,
  modes,
  identity,
  priority,
  delivery,
  eoi,
  icr,
  destination,
  lowest,
  errors,
  disable,
  spurious,
  startup,
  lvt,
  timer,
  ioapic,
  msi,
  pic,
  serialBus,
  amd,
];

/** File name and text of every topic. */
export function tableFiles() {
  return new Map(TOPICS.map((topic) => [`${topic.topic}.json`, formatTopic(topic)]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = new URL('../../conformance/cases/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const files = tableFiles();
  for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(new URL(name, folder));
  for (const [name, text] of files) {
    const url = new URL(name, folder);
    writeFileSync(url, text);
  }
  const counts = TOPICS.map(({ topic, cases }) => `${topic} ${cases.length}`);
  const total = TOPICS.reduce((sum, { cases }) => sum + cases.length, 0);
  console.log(`${total} cases: ${counts.join(', ')}`);
}
