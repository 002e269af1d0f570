// What the core's audit can find wrong, in words.
import { C } from './memory.js';

export const AUDIT: Readonly<Record<number, string>> = {
  [C.AUDIT_BALANCE]: 'attempted = delivered + coalesced + rejected + discarded + pending',
  [C.AUDIT_IRR_SUMMARY]: 'the IRR class summary names the classes with a bit set',
  [C.AUDIT_ISR_SUMMARY]: 'the ISR class summary names the classes with a bit set',
  [C.AUDIT_TMR_SUMMARY]: 'the TMR class summary names the classes with a bit set',
  [C.AUDIT_WAKE_LIST]: 'the wake list holds each listed CPU once',
  [C.AUDIT_LOW_VECTOR]:
    'vectors below 16 are never in service, and pending only where the model lets them',
  [C.AUDIT_REGISTERS]: 'registers, latches and handlers are within their bits',
  [C.AUDIT_DEVICES]: 'I/O APICs, 8259s, timers and the bus are within their bits',
  [C.AUDIT_STORM_STATE]: 'the storm stays inside its tables',
};
