import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { requireNode } from '../../core/runtime.ts';
import { CommandLine, UsageError } from './arguments.ts';
import { print, say } from './terminal.ts';

/** A command of `scripts/`. */
export interface Subcommand<Options = unknown> {
  /** A new commander command each time, because commander keeps the options that it has parsed. */
  define(): Command;
  /** Printed at Ctrl-C. */
  readonly stopping: string;
  /** Notes every mistake in the command line; after a mistake, the result is not used. */
  read(line: CommandLine): Options;
  /** Returns the exit code. May throw after `stop`. */
  run(options: Options, stop: AbortSignal): Promise<number>;
}

/** Infers the type of the options from `read`. */
export function subcommand<Options>(given: Subcommand<Options>): Subcommand<Options> {
  return given;
}

/** Reads a command line. Throws UsageError naming every mistake. */
export function parse<Options>(
  command: Subcommand<Options>,
  argv: readonly string[],
): Options | 'help' {
  const line = new CommandLine(withHelp(command.define()), argv);
  if (line.has('help')) return 'help';
  const options = command.read(line);
  line.check();
  return options;
}

/**
 * Runs a command. The exit code is the command's own; 1 after an error; 2 after a mistake in the command line; 130
 * after Ctrl-C. A second Ctrl-C exits at once.
 */
export async function runCommand(command: Subcommand, argv: readonly string[]): Promise<void> {
  const stop = new AbortController();
  try {
    requireNode();
    requireFolder();
    const options = parse(command, argv);
    if (options === 'help') {
      print(withHelp(command.define()).helpInformation());
      return;
    }
    const onSignal = () => {
      if (stop.signal.aborted) process.exit(130);
      // Aborting removes the progress bars, so none of them is drawn after the sentence.
      stop.abort(new Error('It was stopped.'));
      say(`\n${command.stopping}`);
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    process.exitCode = await command.run(options, stop.signal);
  } catch (error) {
    // Exits at once: servers may still listen, and requests may be under way that nobody waits for.
    if (stop.signal.aborted) process.exit(130);
    say(error instanceof Error ? error.message : String(error));
    if (!(error instanceof UsageError)) process.exit(1);
    say(`See ${command.define().name()} --help.`);
    process.exit(2);
  }
}

/** As an option like the others, so that commander neither prints the help nor exits. */
function withHelp(command: Command): Command {
  return command.helpOption(false).option('--help', 'print this text');
}

/** esbuild starts in the current folder, and needs its name in UTF-8. */
function requireFolder(): void {
  if (existsSync(process.cwd())) return;
  throw new Error('The name of the current folder is not UTF-8. Run this from another one.');
}

/** Stops waiting for some work when `stop` aborts. The work itself goes on. */
export async function unlessStopped<Result>(
  work: Promise<Result>,
  stop: AbortSignal,
): Promise<Result> {
  stop.throwIfAborted();
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const onStop = () => reject(stop.reason as Error);
  stop.addEventListener('abort', onStop, { once: true });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    stop.removeEventListener('abort', onStop);
  }
}
