import { printable } from '../../core/model/printable.ts';

/**
 * All output of commands goes through here; a lint rule enforces it. File names and the output of other programs must not
 * move the cursor, set the window's title or reverse text.
 */

/** Whether a person reads the output. */
export function isTerminal(): boolean {
  return process.stdout.isTTY && process.stderr.isTTY;
}

/** Writes complete lines to standard output: a result for a person. */
export function print(text: string): void {
  process.stdout.write(printable(text));
}

/** Writes a value as one line of JSON to standard output: a result for a script. */
export function printJson(value: object): void {
  print(`${JSON.stringify(value)}\n`);
}

/** Writes a line to standard error, for a person: scripts read standard output only. */
export function say(sentence: string): void {
  process.stderr.write(`${printable(sentence)}\n`);
}

/** Replaces the current line of standard error. */
export function sayAgain(words: string): void {
  process.stderr.write(`\r${printable(words)}`);
}
