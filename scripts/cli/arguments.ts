import { accessSync, constants, statSync } from 'node:fs';
import { getSystemErrorMessage, parseArgs } from 'node:util';
import { pathOf } from './file-name.ts';

/** What is wrong with the command line, a sentence for each mistake. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The options that a command has; with a value (`string`) or without (`boolean`). */
export type Known = Readonly<Record<string, 'boolean' | 'string'>>;

export interface Arguments<Name extends string> {
  readonly words: readonly string[];
  /** The values of the options that were given, an empty one where an option has none. */
  readonly values: ReadonlyMap<Name, readonly string[]>;
  readonly mistakes: readonly string[];
  readonly has: (name: Name) => boolean;
  /** Of an option that is given several times the last counts. */
  readonly last: (name: Name) => string | undefined;
}

/** Tells options from words, and names every option that is unknown or has a value too few or too many. */
export function readArguments<K extends Known>(
  argv: readonly string[],
  known: K,
): Arguments<keyof K & string> {
  const mistakes: string[] = [];
  const values = new Map<keyof K & string, string[]>();
  const words: string[] = [];
  const options = Object.fromEntries(Object.entries(known).map(([name, type]) => [name, { type }]));
  const { tokens } = parseArgs({
    args: [...argv],
    ...{ options, strict: false, allowPositionals: true, tokens: true },
  });
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName } = token;
    if (!isNamed(known, name)) mistakes.push(`There is no option ${rawName}.`);
    else if (known[name] === 'boolean' && token.inlineValue)
      mistakes.push(`${rawName} takes no value.`);
    else if (known[name] === 'string' && isMissing(token))
      mistakes.push(`${rawName} needs a value.`);
    else if (token.value?.isWellFormed() === false)
      mistakes.push(`The value of ${rawName} is not UTF-8.`);
    else values.set(name, [...(values.get(name) ?? []), token.value ?? '']);
  }
  return {
    ...{ words, values, mistakes },
    has: (name) => values.has(name),
    last: (name) => values.get(name)?.at(-1),
  };
}

/** A whole number of an option; undefined, and a mistake more, where it is none or out of bounds. */
export function wholeNumber(
  option: string,
  text: string,
  [least, most]: readonly [number, number],
  mistakes: string[],
): number | undefined {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  mistakes.push(
    `--${option} is a whole number from ${least} to ${most}, not ${JSON.stringify(text)}.`,
  );
  return undefined;
}

/** A sentence when a path is no file that can be read. */
export function mistakeInFile(file: string): string | undefined {
  const quoted = JSON.stringify(file.toWellFormed());
  const path = pathOf(file);
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return `There is no file ${quoted}.`;
    if (!found.isFile()) return `${quoted} is not a file.`;
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return `The file ${quoted} cannot be read: ${systemReason(error)}.`;
  }
}

/** A sentence for each file when there is none to work on; a single one does not stop the others. */
export function mistakesInFiles(files: readonly string[]): readonly string[] {
  const mistakes = files.flatMap((file) => mistakeInFile(file) ?? []);
  return mistakes.length === files.length ? mistakes : [];
}

/** The system's message for a failed call: `no such file or directory`. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const errno: unknown = 'errno' in error ? error.errno : undefined;
  return typeof errno === 'number' ? getSystemErrorMessage(errno) : error.message;
}

function isNamed<K extends Known>(known: K, name: string): name is keyof K & string {
  return Object.hasOwn(known, name);
}

/** An option that follows another is not the other's value, unless it is written so: `--data=-x`. */
function isMissing({
  value,
  inlineValue,
}: {
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}): boolean {
  return !value || (!inlineValue && value.startsWith('-'));
}
