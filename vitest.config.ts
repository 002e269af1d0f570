import { defineConfig } from 'vitest/config';

const SLOW = 'test/**/*.slow.test.ts';

// Two projects: `npm test` runs fast, `npm run test:slow` the rest. A test that waits too long for a slow machine
// tells nothing, so the limits only end what hangs.
export default defineConfig({
  test: {
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    maxWorkers: '100%',
    projects: [
      { extends: true, test: { name: 'fast', include: ['test/**/*.test.ts'], exclude: [SLOW] } },
      {
        extends: true,
        test: {
          name: 'slow',
          include: [SLOW],
          testTimeout: 3_600_000,
          env: { FUZZ_SEEDS: process.env.FUZZ_SEEDS || '1500' },
        },
      },
    ],
  },
});
