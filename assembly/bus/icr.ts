// The Interrupt Command Register: what one write of it does.
// SDM 3A "Interrupt Command Register (ICR)", "ICR Operation in x2APIC Mode".
import {
  ICR_ALL_EXC,
  ICR_ALL_INC,
  ICR_DELIVERY,
  ICR_LOGICAL,
  ICR_NMI,
  ICR_SELF,
  ICR_SHORTHAND,
  NONE,
  UNSUPPORTED,
} from '../codes';
import { deliver, deliverAll, deliverLogical, deliverPhysical } from './destination';

/** Delivery modes this bus carries: fixed and NMI. */
export function isCarried(low: u32): bool {
  const delivery = low & ICR_DELIVERY;
  return delivery == 0 || delivery == ICR_NMI;
}

/** Sends what ICR holds. `dest`: 32 bits in x2APIC mode, 8 in xAPIC mode. 0 or UNSUPPORTED. */
export function sendIcr(source: u32, dest: u32, low: u32): i32 {
  if (!isCarried(low)) return UNSUPPORTED;
  const shorthand = low & ICR_SHORTHAND;
  if (shorthand == 0) {
    if ((low & ICR_LOGICAL) != 0) deliverLogical(dest, low);
    else deliverPhysical(dest, low);
  } else if (shorthand == ICR_SELF) deliver(source, low);
  else if (shorthand == ICR_ALL_INC) deliverAll(low, NONE);
  else if (shorthand == ICR_ALL_EXC) deliverAll(low, source);
  return 0;
}
