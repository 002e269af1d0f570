import { describe, it } from 'vitest';
import {
  canTakeIsTrue,
  hostileAccesses,
  hostileEnvelopes,
  hostilePages,
  hostileSnapshots,
} from './hostile.js';

describe('hostile input', () => {
  it('random MMIO, MSR, CR8, port and MSI accesses: values, #GP, nothing else', () => {
    hostileAccesses(150);
  });

  it('snapshots with any bit changed, sealed again: refused, or a state that works', () => {
    hostileSnapshots(60);
  });

  it('snapshots cut, spliced and overwritten: refused, or a state that works', () => {
    hostileEnvelopes(60000);
  });

  it('canTake says what take() then does', () => {
    canTakeIsTrue(400);
  });

  it('random pages of KVM_GET_LAPIC are taken over within their bits', () => {
    hostilePages(200);
  });
});
