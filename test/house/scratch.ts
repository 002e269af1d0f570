// A folder of its own, with commands that only note how they were called.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export class Scratch {
  readonly path = mkdtempSync(join(tmpdir(), 'ipistorm-house-'));
  /** A call that contains this text fails. */
  failing = '';
  readonly #bin = join(this.path, 'bin');

  constructor(commands: string[]) {
    mkdirSync(this.#bin);
    for (const command of commands) {
      const file = join(this.#bin, command);
      const note = `echo "${command} $*" >> "${this.path}/calls"`;
      const end = `case "${command} $*" in *"$FAILING"*) [ -n "$FAILING" ] && exit 1;; esac; exit 0`;
      writeFileSync(file, `#!/bin/sh\n${note}\n${end}\n`);
      chmodSync(file, 0o755);
    }
  }

  /** The calls since the last question. */
  calls(): string[] {
    const file = join(this.path, 'calls');
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    writeFileSync(file, '');
    return lines.filter(Boolean);
  }

  run(command: string, args: string[], more: Record<string, string> = {}) {
    // A hook's git tells its children which repository it works on: not this one.
    const env = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
    return spawnSync(command, args, {
      cwd: this.path,
      encoding: 'utf8',
      env: {
        ...Object.fromEntries(env),
        PATH: this.#bin + delimiter + process.env.PATH,
        FAILING: this.failing,
        ...more,
      },
    });
  }
}
