// What the host may call. Arguments are checked here, once, so that nothing inside has to;
// BAD_ARGUMENT means that nothing happened.
export * from './exports/hardware';
export * from './exports/lapic';
export * from './exports/machine';
export * from './exports/send';
export * from './exports/storm';
export * from './exports/timed';
