// The 8259 pair's output on its way to the CPUs: LINT0 of CPU 0, and pin 0 of the first I/O APIC.

import { pinHigh, pinMoved } from '../lapic/lint';
import { acknowledgePic, picOutput, readPic, setPicLine, writePic } from '../pic/pic';
import { newsOfAll } from './news';

/** Acts on a change of the output since `output` and LINT0's level `lint0`. */
function moved(output: bool, lint0: bool): void {
  if (picOutput() == output) return;
  pinMoved(0, 0, lint0);
  newsOfAll();
}

export function drivePicLine(line: u32, high: bool): void {
  const output = picOutput();
  const lint0 = pinHigh(0, 0);
  setPicLine(line, high);
  moved(output, lint0);
}

export function acknowledgePicLine(): u32 {
  const output = picOutput();
  const lint0 = pinHigh(0, 0);
  const vector = acknowledgePic();
  moved(output, lint0);
  return vector;
}

export function writePicPort(port: u32, value: u32): void {
  const output = picOutput();
  const lint0 = pinHigh(0, 0);
  writePic(port, value);
  moved(output, lint0);
}

export function readPicPort(port: u32): u32 {
  const output = picOutput();
  const lint0 = pinHigh(0, 0);
  const value = readPic(port);
  moved(output, lint0);
  return value;
}
