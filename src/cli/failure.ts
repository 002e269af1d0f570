// What the system refused, in words: the same sentence for files and standard streams. Exit code 3.
import { getSystemErrorName } from 'node:util';

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on device',
  EDQUOT: 'disk quota exceeded',
  EFBIG: 'file too large',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'read-only file system',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'a part of the path is no directory',
  EISDIR: 'a directory',
  ENAMETOOLONG: 'name too long',
  ELOOP: 'too many symbolic links',
  EIO: 'input/output error',
  EPIPE: 'its reader left',
};

/** `--hdr: got "x" (EISDIR: a directory), allowed a place that can be written; name a file`. */
export function failureText(what: string, path: string, error: unknown, next: string): string {
  const { code = '', errno, message } = error as NodeJS.ErrnoException;
  const name = code || (errno === undefined ? '' : getSystemErrorName(errno));
  const reason = WORDS[name] ? `${name}: ${WORDS[name]}` : name || message;
  const got = path === '' ? reason : `${JSON.stringify(path.slice(-200))} (${reason})`;
  return `${what}: got ${got}, allowed a place that can be written; ${next}`;
}
