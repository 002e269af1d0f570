import { expect, it } from 'vitest';
import { enumerate } from './enumeration.js';

it('2 CPUs x 3 vectors: every reachable state and operation agrees', () => {
  // Per CPU: any IRR (8), ISR with rising classes only ({}, 31, 35, 41, 31+41, 35+41), 3 TPRs.
  expect(enumerate([0x31, 0x35, 0x41], [0, 0x30, 0x40])).toBe((8 * 6 * 3) ** 2);
});
