import { accessSync, constants, statSync } from 'node:fs';
import { getSystemErrorMessage } from 'node:util';
import { Command } from 'commander';
import { pathOf } from './file-name.ts';

/** What is wrong with the command line, a sentence for each mistake. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** `./scripts/<name>`, to be completed with its description, arguments and options. */
export function scriptCommand(name: string): Command {
  return new Command(`./scripts/${name}`);
}

/**
 * The words and options of a command line. Commander stops at the first mistake; this collects every mistake, so that
 * a user can correct them all at once. Options go by their names in camel case.
 */
export class CommandLine {
  /** The arguments that are no options. */
  readonly words: readonly string[];
  readonly mistakes: string[] = [];
  readonly #command: Command;

  constructor(command: Command, argv: readonly string[]) {
    this.#command = command;
    for (const option of command.options.filter(({ required }) => required)) {
      // Commander exits if a required value is missing, and takes `--once` for the value in `--data --once`.
      option.required = false;
      option.optional = true;
      const append = (value: string, before: readonly string[] | undefined) => [
        ...(before ?? []),
        value,
      ];
      option.preset('').argParser(append);
    }
    const { operands, unknown } = command.parseOptions([...argv]);
    this.words = [...operands, ...this.#readUnknown(unknown)];
    for (const option of command.options.filter(({ optional }) => optional)) {
      for (const value of this.#given(option.attributeName())) {
        if (value === '') this.mistakes.push(`${option.long} needs a value.`);
        if (!value.isWellFormed()) this.mistakes.push(`The value of ${option.long} is not UTF-8.`);
      }
    }
  }

  has(option: string): boolean {
    return Boolean(this.#command.getOptionValue(option));
  }

  /** The values of an option that can be given several times. */
  values(option: string): readonly string[] {
    return this.#given(option).filter((value) => value !== '' && value.isWellFormed());
  }

  /** The value of an option. If it is given several times, the last one counts. */
  value(option: string): string | undefined {
    return this.values(option).at(-1);
  }

  wholeNumber(option: string, [min, max]: readonly [number, number], usual: number): number {
    const text = this.value(option) ?? String(usual);
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= min && number <= max) return number;
    this.mistakes.push(
      `--${option} is a whole number from ${min} to ${max}, not ${JSON.stringify(text)}.`,
    );
    return usual;
  }

  /** The only word. Empty after a mistake. */
  stage(): string {
    const [stage, ...more] = this.words;
    if (more.length > 0) {
      this.mistakes.push(`One stage at a time, not also ${more.join(', ')}.`);
    }
    return stage ?? this.missing('Which stage?');
  }

  /** Notes a mistake, and returns an empty word in place of what is missing. */
  missing(question: string): string {
    this.mistakes.push(question);
    return '';
  }

  /** Throws UsageError if there is a mistake. */
  check(): void {
    if (this.mistakes.length > 0) throw new UsageError(this.mistakes.join('\n'));
  }

  #given(option: string): readonly string[] {
    return (this.#command.getOptionValue(option) ?? []) as readonly string[];
  }

  /** What commander returns from the first unknown option on. Returns the words in it. */
  #readUnknown(unknown: readonly string[]): readonly string[] {
    const literal = unknown.indexOf('--');
    const end = literal === -1 ? unknown.length : literal;
    const words: string[] = [];
    for (const argument of unknown.slice(0, end)) {
      const [, option] = /^(--?[^=]+)/.exec(argument) ?? [];
      if (option === undefined) words.push(argument);
      else if (this.#command.options.some(({ long }) => long === option)) {
        this.mistakes.push(`${option} takes no value.`);
      } else this.mistakes.push(`There is no option ${option}.`);
    }
    return [...words, ...unknown.slice(end + 1)];
  }
}

/** A sentence if a path does not name a readable file. */
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

/** A sentence for each file if none of them can be read. Otherwise none: the readable files are processed. */
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
