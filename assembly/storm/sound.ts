// Whether every index that the storm engine follows stays inside its table.
import { cpus } from '../memory/arena';
import { PATTERN_ALLBUTSELF, VIA_CALL } from '../memory/codes';
import * as L from '../memory/layout';

/** Every index that the storm engine follows stays inside its table. */
export function stormIsSound(): bool {
  const vectors = load<u32>(L.S_VECTOR_COUNT);
  return (
    vectors <= 256 &&
    load<u32>(L.S_VECTOR_NEXT) <= (vectors == 0 ? 0 : vectors - 1) &&
    load<u32>(L.S_SOURCE_NEXT) < cpus &&
    load<u32>(L.S_TARGET) < cpus &&
    (cpus == 1 || load<u32>(L.S_SIZE) < cpus) &&
    load<u32>(L.S_STRIDE) <= cpus &&
    load<u32>(L.S_PATTERN) <= <u32>PATTERN_ALLBUTSELF &&
    load<u32>(L.S_VIA) <= <u32>VIA_CALL
  );
}
