// What a command says. It is in ICR format whoever sends it.
import {
  DEASSERT_DROPS,
  DELIVERY_INIT,
  DELIVERY_LOWEST,
  F_LEVEL_DEASSERT,
  ICR_ASSERT,
  ICR_LEVEL,
} from '../memory/codes';
import { model } from '../memory/model';

/** Beyond the ICR's bits: an MSI with the redirection hint. */
export const REDIRECT: u32 = 0x80000000;

export function deliveryOf(low: u32): u32 {
  return (low >> 8) & 7;
}

/** Fixed and lowest priority: the modes that end in IRR. */
export function isVectored(low: u32): bool {
  return (low & 0x600) == 0;
}

export function isLowest(low: u32): bool {
  return deliveryOf(low) == DELIVERY_LOWEST || ((low & REDIRECT) != 0 && isVectored(low));
}

/** Level with de-assert: nothing to deliver. */
export function isDropped(low: u32): bool {
  const deasserted = (low & (ICR_LEVEL | ICR_ASSERT)) == ICR_LEVEL;
  if (!deasserted) return false;
  if (isVectored(low)) return model(F_LEVEL_DEASSERT) == <u32>DEASSERT_DROPS;
  return deliveryOf(low) == DELIVERY_INIT;
}
