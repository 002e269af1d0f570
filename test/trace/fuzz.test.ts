import { describe } from 'vitest';
import { brokenTraces } from './broken.js';

describe('broken traces', () => brokenTraces(Number(process.env.TRACE_FUZZ ?? 60)));
