import { isUtf8 } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** A file name on Linux may be any bytes. If they are not UTF-8, Node puts U+FFFD into `process.argv`, and finds no file. */

const CMDLINE = '/proc/self/cmdline';

/**
 * The arguments of this program. A byte that is not UTF-8 becomes a lone surrogate, U+DC80 to U+DCFF, as in Python
 * (https://peps.python.org/pep-0383/). `pathOf` turns it back into the byte.
 */
export function commandLine(): readonly string[] {
  const given = process.argv.slice(2);
  const lossy = given.some((argument) => argument.includes('\ufffd'));
  if (!lossy || !existsSync(CMDLINE)) return given;
  // Latin-1 has a character for each byte.
  const all = readFileSync(CMDLINE, 'latin1').split('\0').slice(0, -1);
  return all.slice(-given.length).map((argument) => decode(Buffer.from(argument, 'latin1')));
}

/** The path of a file that the command line names, for the file system. */
export function pathOf(file: string): string | Buffer {
  if (file.isWellFormed()) return file;
  const bytes = Array.from(file, (character) => {
    const code = character.charCodeAt(0);
    return code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(character);
  });
  return Buffer.concat(bytes);
}

/** A file's name as it is shown and stored: without folders, and with U+FFFD for what is not UTF-8. */
export function nameOf(file: string): string {
  return basename(file).toWellFormed();
}

function decode(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = [1, 2, 3, 4].find((count) => isUtf8(bytes.subarray(at, at + count)));
    text += length
      ? bytes.toString('utf8', at, at + length)
      : String.fromCharCode(0xdc00 + bytes.readUInt8(at));
    at += length ?? 1;
  }
  return text;
}
