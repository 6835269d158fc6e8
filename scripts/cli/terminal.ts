import { printable } from '../../core/model/printable.ts';

/**
 * Everything that commands say goes through here, and nothing past it (a lint rule holds that): names of files
 * and words of other programs must not move the cursor, set the title or turn text around.
 */

/** Whether a person reads what a command says. */
export function isTerminal(): boolean {
  return process.stdout.isTTY && process.stderr.isTTY;
}

/** Writes a text of lines, each with its end, to standard output: a result for a person. */
export function print(text: string): void {
  process.stdout.write(printable(text));
}

/** Writes a value as one line of JSON to standard output: a result for a script. */
export function printJson(value: object): void {
  print(`${JSON.stringify(value)}\n`);
}

/** Tells a person what is going on; a script reads standard output only. */
export function say(sentence: string): void {
  process.stderr.write(`${printable(sentence)}\n`);
}

/** Says something in the place of what was said in this line before. */
export function sayAgain(words: string): void {
  process.stderr.write(`\r${printable(words)}`);
}
