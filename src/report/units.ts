// Numbers as people read them.

/** 1234567 -> "1,234,567". */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** 1234567 -> "1.23 M"; print a unit after a blank. */
export function si(value: number): string {
  const units: [number, string][] = [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ];
  for (const [size, name] of units)
    if (value >= size) return `${(value / size).toPrecision(3)} ${name}`;
  return `${Math.round(value)}`;
}

/** Per second of simulated time, 0 when none has passed. */
export function perSecond(count: number, ns: number): number {
  return ns === 0 ? 0 : (count / ns) * 1e9;
}

/** Picoseconds as "1.234 ms". */
export function duration(ps: number): string {
  const ns = ps / 1000;
  if (ns >= 1e9) return `${(ns / 1e9).toFixed(3)} s`;
  if (ns >= 1e6) return `${(ns / 1e6).toFixed(3)} ms`;
  return ns >= 1e4 ? `${(ns / 1e3).toFixed(1)} us` : `${ns.toFixed(0)} ns`;
}
