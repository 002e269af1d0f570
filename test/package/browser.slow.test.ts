// The library, unchanged, in a browser: same hash as in Node. Skipped where no Chromium is installed.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Machine } from '../../src/index.js';
import { costSet, scenario, TimedRun } from '../../src/timed-index.js';

const CHROMIUM = '/usr/bin/chromium';
const root = fileURLToPath(new URL('../..', import.meta.url));
const SERVED = ['dist', 'node_modules/valibot/dist'];
const STORM = { pattern: 'random', sends: 20_000, depth: 9 } as const;
const PAGE = `<!doctype html><pre id="out">waiting</pre>
<script type="importmap">{ "imports": { "valibot": "/node_modules/valibot/dist/index.mjs" } }</script>
<script type="module">
import { Machine } from '/dist/src/index.js';
import { costSet, scenario, TimedRun } from '/dist/src/timed-index.js';
const timed = new TimedRun(scenario('lost-eoi'), costSet('intel-xeon-x2apic-cluster')).run();
out.textContent = 'hash ' + Machine.create({ cpus: 48 }).storm(${JSON.stringify(STORM)}).eventHash + ' timed ' + timed.timedHash;
</script>`;

function dump(url: string, profile: string): Promise<string> {
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    `--user-data-dir=${profile}`,
    '--virtual-time-budget=5000',
    '--dump-dom',
    url,
  ];
  return new Promise((resolve, reject) => {
    execFile(CHROMIUM, flags, { timeout: 25_000 }, (error, stdout) =>
      error && !stdout ? reject(error) : resolve(stdout),
    );
  });
}

it.skipIf(!existsSync(CHROMIUM))(
  'runs unchanged in a browser, with the same event hashes (needs /usr/bin/chromium)',
  async () => {
    const server = createServer((request, response) => {
      const path = join(root, new URL(request.url!, 'http://x').pathname);
      if (request.url === '/') response.setHeader('content-type', 'text/html').end(PAGE);
      else if (SERVED.some((folder) => path.startsWith(join(root, folder))) && existsSync(path))
        response.setHeader('content-type', 'text/javascript').end(readFileSync(path));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const profile = mkdtempSync(join(tmpdir(), 'ipistorm-browser-'));
    const timed = new TimedRun(scenario('lost-eoi'), costSet('intel-xeon-x2apic-cluster')).run();
    try {
      const dom = await dump(
        `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
        profile,
      );
      expect(dom).toContain(
        `hash ${Machine.create({ cpus: 48 }).storm(STORM).eventHash} timed ${timed.timedHash}`,
      );
    } finally {
      server.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    }
  },
);
