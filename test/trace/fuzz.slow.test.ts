import { describe } from 'vitest';
import { brokenTraces } from './broken.js';

describe('many broken traces', () => {
  brokenTraces(Math.min(5000, Math.ceil(Number(process.env.FUZZ_SEEDS ?? 8000) / 20)));
});
