// A pair of 8259A interrupt controllers as PCs wire them: the secondary at line 2 of the primary.
// Intel 8259A data sheet.
import * as L from '../memory/layout';

const PRIMARY: u32 = 0;
const SECONDARY: u32 = 1;
const CASCADE: u32 = 2;
const SPURIOUS: u32 = 7;
const ICW1: u32 = 0x10;
const ICW1_LEVEL: u32 = 8;
const ICW1_SINGLE: u32 = 2;
const ICW1_ICW4: u32 = 1;
const ICW4_NESTED: u32 = 0x10;
const ICW4_AUTO_EOI: u32 = 2;
const OCW3: u32 = 8;
/** Lines that can be level-triggered by ELCR. */
const ELCR_PRIMARY: u32 = 0xf8;
const ELCR_SECONDARY: u32 = 0xde;
const NO_LINE: i32 = -1;

function get(chip: u32, field: usize): u32 {
  return load<u8>(<usize>L.H_PIC + chip * L.PIC_BYTES + field);
}

function put(chip: u32, field: usize, value: u32): void {
  store<u8>(<usize>L.H_PIC + chip * L.PIC_BYTES + field, <u8>value);
}

function isLevelLine(chip: u32, line: u32): bool {
  if ((get(chip, L.P_ICW1) & ICW1_LEVEL) != 0) return true;
  return ((get(chip, L.P_ELCR) >> line) & 1) != 0;
}

/** Steps from the line of highest priority; 8 when no line of `lines` is set. */
function rank(chip: u32, lines: u32): u32 {
  const first = (get(chip, L.P_LOWEST) + 1) & 7;
  for (let step: u32 = 0; step < 8; step++) {
    if (((lines >> ((first + step) & 7)) & 1) != 0) return step;
  }
  return 8;
}

/** Line whose request goes out, or NO_LINE: unmasked and above everything in service. */
function request(chip: u32): i32 {
  const asked = rank(chip, get(chip, L.P_IRR) & ~get(chip, L.P_IMR));
  if (asked == 8) return NO_LINE;
  let serving = get(chip, L.P_ISR);
  if (get(chip, L.P_SPECIAL_MASK) != 0) serving &= ~get(chip, L.P_IMR);
  if (chip == PRIMARY && (get(chip, L.P_ICW4) & ICW4_NESTED) != 0)
    serving &= ~((<u32>1) << CASCADE);
  if (asked >= rank(chip, serving)) return NO_LINE;
  return (get(chip, L.P_LOWEST) + 1 + asked) & 7;
}

/** Line 2 of the primary follows the secondary's output. */
function cascade(): void {
  const irr = get(PRIMARY, L.P_IRR) & ~((<u32>1) << CASCADE);
  const bit: u32 = request(SECONDARY) != NO_LINE ? (<u32>1) << CASCADE : 0;
  put(PRIMARY, L.P_IRR, irr | bit);
}

export function picOutput(): bool {
  return request(PRIMARY) != NO_LINE;
}

/** Drives line 0-15. A request stands until it is acknowledged, or the line falls. */
export function setPicLine(line: u32, high: bool): void {
  const chip = line >> 3;
  const bit: u32 = (<u32>1) << (line & 7);
  if (chip == PRIMARY && (line & 7) == CASCADE) return;
  const lines = get(chip, L.P_LINES);
  const rose = high && (lines & bit) == 0;
  put(chip, L.P_LINES, high ? lines | bit : lines & ~bit);
  const irr = get(chip, L.P_IRR);
  if (!high) put(chip, L.P_IRR, irr & ~bit);
  else if (rose || isLevelLine(chip, line & 7)) put(chip, L.P_IRR, irr | bit);
  cascade();
}

/** What an INTA cycle does to the line it serves. */
function serve(chip: u32, line: u32): void {
  const bit: u32 = (<u32>1) << line;
  if ((get(chip, L.P_ICW4) & ICW4_AUTO_EOI) == 0) put(chip, L.P_ISR, get(chip, L.P_ISR) | bit);
  else if (get(chip, L.P_ROTATE_AEOI) != 0) put(chip, L.P_LOWEST, line);
  if (!isLevelLine(chip, line)) put(chip, L.P_IRR, get(chip, L.P_IRR) & ~bit);
}

/** INTA: the vector. With nothing to serve it is line 7's, and ISR stays: the spurious interrupt. */
export function acknowledgePic(): u32 {
  const line = request(PRIMARY);
  if (line == NO_LINE) return get(PRIMARY, L.P_BASE) | SPURIOUS; // bug: a-spurious-irq7-enters-service
  if (line != CASCADE) {
    serve(PRIMARY, line);
    return get(PRIMARY, L.P_BASE) | line;
  }
  const second = request(SECONDARY);
  serve(PRIMARY, CASCADE);
  if (second != NO_LINE) serve(SECONDARY, second);
  cascade();
  return get(SECONDARY, L.P_BASE) | (second == NO_LINE ? SPURIOUS : second);
}

export function resetPics(): void {
  memory.fill(L.H_PIC, 0, 2 * L.PIC_BYTES);
  put(PRIMARY, L.P_LOWEST, 7);
  put(SECONDARY, L.P_LOWEST, 7);
}

function initialise(chip: u32, icw1: u32): void {
  put(chip, L.P_ICW1, icw1);
  put(chip, L.P_IMR, 0);
  put(chip, L.P_ISR, 0);
  put(chip, L.P_LOWEST, 7);
  put(chip, L.P_SPECIAL_MASK, 0);
  put(chip, L.P_ROTATE_AEOI, 0);
  put(chip, L.P_READ_ISR, 0);
  put(chip, L.P_POLL, 0);
  if ((icw1 & ICW1_ICW4) == 0) put(chip, L.P_ICW4, 0);
  put(chip, L.P_ICW, 2);
  let irr: u32 = 0;
  for (let line: u32 = 0; line < 8; line++) {
    if (isLevelLine(chip, line)) irr |= get(chip, L.P_LINES) & ((<u32>1) << line);
  }
  put(chip, L.P_IRR, irr);
}

function writeOcw3(chip: u32, value: u32): void {
  put(chip, L.P_POLL, (value >> 2) & 1);
  if ((value & 2) != 0) put(chip, L.P_READ_ISR, value & 1);
  if ((value & 0x40) != 0) put(chip, L.P_SPECIAL_MASK, (value >> 5) & 1);
}

/** EOI and rotation. */
function writeOcw2(chip: u32, value: u32): void {
  const command = value >> 5;
  const named = value & 7;
  if (command == 0 || command == 4) put(chip, L.P_ROTATE_AEOI, command >> 2);
  else if (command == 6) put(chip, L.P_LOWEST, named);
  else if (command == 3 || command == 7) endLine(chip, named, command == 7);
  else if (command == 1 || command == 5) {
    const step = rank(chip, get(chip, L.P_ISR));
    if (step != 8) endLine(chip, (get(chip, L.P_LOWEST) + 1 + step) & 7, command == 5);
  }
}

function endLine(chip: u32, line: u32, rotate: bool): void {
  put(chip, L.P_ISR, get(chip, L.P_ISR) & ~((<u32>1) << line));
  if (rotate) put(chip, L.P_LOWEST, line);
}

function writeData(chip: u32, value: u32): void {
  switch (get(chip, L.P_ICW)) {
    case 2:
      put(chip, L.P_BASE, value & 0xf8);
      put(chip, L.P_ICW, (get(chip, L.P_ICW1) & ICW1_SINGLE) == 0 ? 3 : afterIcw3(chip));
      break;
    case 3:
      put(chip, L.P_ICW, afterIcw3(chip));
      break;
    case 4:
      put(chip, L.P_ICW4, value);
      put(chip, L.P_ICW, 0);
      break;
    default:
      put(chip, L.P_IMR, value);
  }
}

function afterIcw3(chip: u32): u32 {
  return (get(chip, L.P_ICW1) & ICW1_ICW4) != 0 ? 4 : 0;
}

function writeElcr(chip: u32, value: u32): void {
  put(chip, L.P_ELCR, value & (chip == PRIMARY ? ELCR_PRIMARY : ELCR_SECONDARY));
}

/** Chip of a port, and whether it is the data port; 2 for none, 4 and 5 for ELCR. */
function portOf(port: u32): u32 {
  if (port == 0x20 || port == 0x21) return 0;
  if (port == 0xa0 || port == 0xa1) return 1;
  return port == 0x4d0 || port == 0x4d1 ? 4 + (port & 1) : 2;
}

export function writePic(port: u32, byte: u32): void {
  const value = byte & 0xff;
  const chip = portOf(port);
  if (chip == 2) return;
  if (chip >= 4) writeElcr(chip & 1, value);
  else if ((port & 1) != 0) writeData(chip, value);
  else if ((value & ICW1) != 0) initialise(chip, value);
  else if ((value & OCW3) != 0) writeOcw3(chip, value);
  else writeOcw2(chip, value);
  cascade();
}

/** A poll is an INTA by software: bit 7 and the line when there is a request. */
function poll(chip: u32): u32 {
  put(chip, L.P_POLL, 0);
  const line = request(chip);
  if (line == NO_LINE) return 0;
  serve(chip, line);
  cascade();
  return 0x80 | line;
}

export function readPic(port: u32): u32 {
  const chip = portOf(port);
  if (chip == 2) return 0xff;
  if (chip >= 4) return get(chip & 1, L.P_ELCR);
  if (get(chip, L.P_POLL) != 0) return poll(chip);
  if ((port & 1) != 0) return get(chip, L.P_IMR);
  return get(chip, get(chip, L.P_READ_ISR) != 0 ? L.P_ISR : L.P_IRR);
}
