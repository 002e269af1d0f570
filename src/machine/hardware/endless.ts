// Handlers that run without end: a level pin that nobody lowers comes back with every EOI.
import { type UsageError, usage } from '../../core/errors.js';
import { C, L } from '../../core/memory.js';
import type { CoreExports } from '../../core/wasm.js';

/** @throws UsageError naming the pin, when `code` says that there is no end */
export function checkEnd(core: CoreExports, code: number): void {
  if (code === C.ENDLESS) throw endless(core);
}

function endless(core: CoreExports): UsageError {
  const view = new DataView(core.memory.buffer);
  const pin = view.getUint8(L.H_RESULT);
  const owner = (view.getUint32(L.H_RESULT, true) >>> 8) & 0xffffff;
  const lint = view.getUint8(L.H_RESULT + 7) !== 0;
  const [name, lower] = lint
    ? [`LINT${pin} of CPU ${owner}`, `lapic(${owner}).setLINT(${pin}, false)`]
    : [`pin ${pin} of I/O APIC ${owner}`, `ioapic(${owner}).setIRQ(${pin}, false)`];
  return usage(
    'runHandlers',
    `level ${name}, active after 100000 EOIs`,
    'level pins that fall',
    `${lower}, mask it, or take its interrupts one by one`,
  );
}
