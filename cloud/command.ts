import { parseArgs } from 'node:util';
import type { StageConfig } from '../infra/config.ts';
import { readStages } from '../infra/stages.ts';
import { requireNode } from '../worker/runtime.ts';

/** A command on one stage, as it is typed: `./scripts/<name> <stage> [flags]`. */
export interface Command<Flag extends string> {
  readonly name: string;
  readonly help: string;
  readonly flags: readonly Flag[];
  /** Returns the exit code. The signal is aborted by Ctrl-C. */
  work(config: StageConfig, flags: ReadonlySet<Flag>, stop: AbortSignal): Promise<number>;
}

/** What is wrong with the command line. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Runs a command and sets the exit code: 1 for what went wrong, 2 for a command line that is not
 * understood, 130 when it was stopped.
 */
export async function runCommand<Flag extends string>(command: Command<Flag>): Promise<void> {
  const stop = stopSignal();
  try {
    requireNode();
    const asked = readCommandLine(process.argv.slice(2), command.flags);
    if (asked === 'help') process.stdout.write(command.help);
    else {
      const config = findStage(await readStages(), asked.stage);
      process.exitCode = await command.work(config, asked.flags, stop);
    }
  } catch (error) {
    process.exitCode = stop.aborted ? 130 : error instanceof UsageError ? 2 : 1;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(stop.aborted ? 'Stopped. The same command goes on.\n' : `${message}\n`);
    if (error instanceof UsageError)
      process.stderr.write(`See ./scripts/${command.name} --help.\n`);
  }
}

/** A stage's name and the flags; `help` when that is asked for. Throws UsageError naming every mistake. */
export function readCommandLine<Flag extends string>(
  argv: readonly string[],
  known: readonly Flag[],
): { readonly stage: string; readonly flags: ReadonlySet<Flag> } | 'help' {
  const { values, positionals } = parseArgs({ args: [...argv], strict: false });
  if (values['help']) return 'help';
  const flags = new Set(known.filter((flag) => values[flag] === true));
  const [stage, ...more] = positionals;
  const mistakes = [
    ...Object.entries(values).flatMap(([name, value]) => {
      if (!known.some((flag) => flag === name))
        return [`There is no option ${name.length === 1 ? '-' : '--'}${name}.`];
      return value === true ? [] : [`--${name} takes no value.`];
    }),
    ...(stage === undefined ? ['Which stage?'] : []),
    ...(more.length > 0 ? [`One stage at a time, not also ${more.join(', ')}.`] : []),
  ];
  if (stage === undefined || mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  return { stage, flags };
}

function findStage(stages: readonly StageConfig[], name: string): StageConfig {
  const found = stages.find((config) => config.name === name);
  if (found) return found;
  const names = stages.map((config) => config.name).join(', ');
  throw new UsageError(`There is no stage ${name}. infra/config.ts has ${names}.`);
}

/** Whatever runs is told to stop by the first Ctrl-C, and waited for also after more of them. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const onSignal = () => {
    process.stderr.write('\nStopping, when what is being made is whole …\n');
    stop.abort(new Error('It was stopped.'));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return stop.signal;
}
