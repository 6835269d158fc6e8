import { existsSync } from 'node:fs';
import { requireNode } from '../../core/runtime.ts';
import { UsageError } from './arguments.ts';
import { commandLine } from './file-name.ts';
import { print, say } from './terminal.ts';

/** A program that is run by a script of `scripts/`. */
export interface Command<Options> {
  /** `./scripts/start` */
  readonly name: string;
  readonly help: string;
  /** Said at Ctrl-C. */
  readonly stopping: string;
  /** Throws UsageError naming every mistake. */
  read(argv: readonly string[]): Options | 'help';
  /** Returns the exit code; may throw once it is stopped. */
  run(options: Options, stop: AbortSignal): Promise<number>;
}

/**
 * Runs a command. It ends with its own exit code, with 1 for an error, 2 for a wrong command line, and
 * 130 when Ctrl-C broke it off; a second Ctrl-C ends it at once.
 */
export async function runCommand<Options>(command: Command<Options>): Promise<void> {
  const { name, help, stopping } = command;
  const stop = new AbortController();
  try {
    requireNode();
    requireFolder();
    const options = command.read(commandLine());
    if (options === 'help') {
      print(help);
      return;
    }
    const onSignal = () => {
      if (stop.signal.aborted) process.exit(130);
      // Progress bars go away first, so that none stands behind the sentence.
      stop.abort(new Error('It was stopped.'));
      say(`\n${stopping}`);
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    process.exitCode = await command.run(options, stop.signal);
  } catch (error) {
    // Each ends at once: servers may listen and requests be under way that nobody waits for any more.
    if (stop.signal.aborted) process.exit(130);
    say(error instanceof Error ? error.message : String(error));
    if (!(error instanceof UsageError)) process.exit(1);
    say(`See ${name} --help.`);
    process.exit(2);
  }
}

/** esbuild starts in the current folder, by the name that Node has for it. */
function requireFolder(): void {
  if (existsSync(process.cwd())) return;
  throw new Error('The name of the current folder is not UTF-8. Run this from another one.');
}

/** Ends the wait for some work when it is told to stop; the work itself is left to end or not. */
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
