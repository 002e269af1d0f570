// The hardware model's flags (src/core/models.ts is their table).
import * as L from './layout';

export function model(flag: i32): u32 {
  return load<u32>(<usize>L.H_MODEL + ((<usize>flag) << 2));
}
