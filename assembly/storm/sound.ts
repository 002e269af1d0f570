// Whether every index that the storm engine follows stays inside its table.
import { cpus } from '../memory/arena';
import { PATTERN_ALLBUTSELF, VIA_CALL } from '../memory/codes';
import { stormState } from '../memory/records';

/** Every index that the storm engine follows stays inside its table. */
export function stormIsSound(): bool {
  const vectors = stormState.vectorCount;
  return (
    vectors <= 256 &&
    stormState.vectorNext <= (vectors == 0 ? 0 : vectors - 1) &&
    stormState.sourceNext < cpus &&
    stormState.target < cpus &&
    (cpus == 1 || stormState.size < cpus) &&
    stormState.stride <= cpus &&
    stormState.pattern <= <u32>PATTERN_ALLBUTSELF &&
    stormState.via <= <u32>VIA_CALL
  );
}
