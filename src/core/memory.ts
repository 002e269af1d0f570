// The one door to assembly/: codes, and the memory maps that the core and the host share.
export * as C from '../../assembly/memory/codes.js';
export { LAYOUT_FINGERPRINT } from '../../assembly/memory/fingerprint.js';
export * as L from '../../assembly/memory/layout.js';
export * as X from '../../assembly/timed/codes.js';
export * as T from '../../assembly/timed/layout.js';
