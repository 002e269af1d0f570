// exp, log and the inverse normal distribution from + - * / and sqrt alone: those are exact to the last
// bit on every engine, Math.exp and Math.log are not.

const { LN2 } = Math;

/** e to the power of x, |x| < 700. */
export function exp(x: number): number {
  const halvings = Math.round(x / LN2);
  const rest = x - halvings * LN2;
  let term = 1;
  let sum = 1;
  for (let i = 1; i < 24; i++) {
    term = (term * rest) / i;
    sum += term;
  }
  for (let i = 0; i < halvings; i++) sum *= 2;
  for (let i = 0; i > halvings; i--) sum /= 2;
  return sum;
}

/** Natural logarithm of x > 0, by Newton's rule on exp. */
export function log(x: number): number {
  let power = 0;
  let m = x;
  while (m > 1.5) {
    m /= 2;
    power++;
  }
  while (m < 0.75) {
    m *= 2;
    power--;
  }
  // 2 * atanh((m - 1) / (m + 1))
  const z = (m - 1) / (m + 1);
  let sum = 0;
  let term = z;
  for (let i = 1; i < 60; i += 2) {
    sum += term / i;
    term *= z * z;
  }
  return 2 * sum + power * LN2;
}

/** Quantile of the normal distribution at 0 < p < 1: Abramowitz and Stegun 26.2.23, error below 4.5e-4. */
export function inverseNormal(p: number): number {
  if (p > 0.5) return -inverseNormal(1 - p);
  const t = Math.sqrt(-2 * log(p));
  const over = 2.515517 + t * (0.802853 + t * 0.010328);
  const under = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return over / under - t;
}
