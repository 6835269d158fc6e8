import { describeDeadLetter } from '../../core/catalog/dead-letter.ts';
import type { DeadLetter } from '../../core/catalog/dead-letter.ts';
import { LeaseLostError } from '../../core/model/errors.ts';
import { oneLine } from '../../core/model/printable.ts';
import { returnDeadLetter, takeDeadLetters } from '../../core/storage/dead-letter-queue.ts';
import { inParallel } from '../../core/storage/in-parallel.ts';
import { openJobQueue } from '../../core/storage/job-queue.ts';
import type { Queue, ReceivedMessage } from '../../core/storage/ports.ts';
import { openStage } from '../aws/stage.ts';
import type { Stage } from '../aws/stage.ts';
import { UsageError, scriptCommand } from '../cli/arguments.ts';
import { ask } from '../cli/ask.ts';
import { subcommand, unlessStopped } from '../cli/command.ts';
import { print, printJson } from '../cli/terminal.ts';
import { ago, count } from '../cli/text.ts';

/** Dead letters taken at a time: few enough to be handled before their hold expires. */
const MOST = 1000;
/** A dead letter that is not given back, after a power failure for example, returns to its queue after this time. */
const HOLD_SECONDS = 120;
const AT_ONCE = 16;

type Chosen = 'all' | readonly string[];

type DeadLettersOptions = { readonly stage: string; readonly json: boolean } & (
  | { readonly action: 'list' }
  | { readonly action: 'show' | 'replay'; readonly chosen: Chosen }
  | { readonly action: 'drop'; readonly chosen: Chosen; readonly yes: boolean }
);

export const command = subcommand({
  define: () =>
    scriptCommand('dead-letters')
      .description(
        'Handles messages that workers gave up. An id can be shortened to its beginning.\n\n' +
          'A message is sent back before it is deleted: it may arrive twice, but is never lost. At most ' +
          `${MOST} are taken at a time.`,
      )
      .usage(
        ['list', 'show <id>', 'replay <id...>', 'drop <id...>']
          .map((action) => `<stage> ${action} [options]`)
          .join('\n       ./scripts/dead-letters '),
      )
      .argument('<stage>')
      .argument(
        '<action>',
        'list: all with their reasons; show: one in full; replay: send back to the queue, to be worked on again; ' +
          'drop: delete',
      )
      .option('--all', 'replay or drop all of them')
      .option('--yes', 'drop without asking')
      .option('--json', 'print one line of JSON'),
  stopping: 'Stopping; dead letters that were taken are given back.',
  read: (line): DeadLettersOptions => {
    const [stage = line.missing('Which stage?'), action, ...ids] = line.words;
    const options = { stage, json: line.has('json') };
    const all = line.has('all');
    const chosen = all ? 'all' : ids;
    const yes = line.has('yes');
    if (yes && action !== 'drop') line.mistakes.push('--yes is for drop.');
    switch (action) {
      case 'list':
        if (ids.length > 0 || all) line.mistakes.push('list shows all of them.');
        return { ...options, action };
      case 'show':
        if (ids.length !== 1 || all) line.mistakes.push('show shows one: which id?');
        return { ...options, action, chosen };
      case 'replay':
      case 'drop':
        if ((ids.length === 0) === !all) line.mistakes.push(`${action} needs ids, or --all.`);
        return action === 'drop'
          ? { ...options, action, chosen, yes }
          : { ...options, action, chosen };
      case undefined:
        if (stage !== '') line.mistakes.push('Which action: list, show, replay or drop?');
        return { ...options, action: 'list' };
      default:
        line.mistakes.push(`${action} is none of list, show, replay and drop.`);
        return { ...options, action: 'list' };
    }
  },
  run: async (options, stop) => {
    const stage = await unlessStopped(openStage(options.stage), stop);
    try {
      return await act(options, stage, stop);
    } finally {
      await stage.close();
    }
  },
});

async function act(options: DeadLettersOptions, stage: Stage, stop: AbortSignal): Promise<number> {
  const { json } = options;
  const jobs = openJobQueue(stage.backend, stage.env);
  const letters = stage.backend.queue(stage.env.DEAD_LETTER_QUEUE);
  switch (options.action) {
    case 'list': {
      const all = await withLetters(letters, 'all', stop, (taken) => explainAll(stage, taken));
      report(json, all, () => listText(all, new Date()));
      return 0;
    }
    case 'show': {
      const [letter] = await withLetters(letters, options.chosen, stop, (taken) =>
        explainAll(stage, taken),
      );
      if (letter) report(json, letter, () => letterText(letter));
      return 0;
    }
    case 'replay': {
      const replayed = await withLetters(letters, options.chosen, stop, (taken, done) =>
        forEach(taken, stop, done, (letter) => returnDeadLetter(letters, letter, jobs)),
      );
      if (replayed > 0) await stage.workers.wake();
      report(
        json,
        { replayed },
        () => `${count(replayed, 'dead letter')} sent back to the queue.\n`,
      );
      return 0;
    }
    case 'drop': {
      if (!options.yes) await confirm(options.chosen, letters, stop);
      const dropped = await withLetters(letters, options.chosen, stop, (taken, done) =>
        forEach(taken, stop, done, ({ receipt }) => letters.acknowledge(receipt)),
      );
      report(json, { dropped }, () => `${count(dropped, 'dead letter')} dropped.\n`);
      return 0;
    }
  }
}

/**
 * Takes the dead letters, processes the chosen ones, and gives back all others and those that are not `done`. Throws Error
 * if a chosen one does not exist.
 */
async function withLetters<Result>(
  queue: Queue,
  chosen: Chosen,
  stop: AbortSignal,
  work: (
    letters: readonly ReceivedMessage[],
    done: (letter: ReceivedMessage) => void,
  ) => Promise<Result>,
): Promise<Result> {
  const taken = await takeDeadLetters(queue, HOLD_SECONDS, MOST);
  const inHand = new Set(taken);
  try {
    stop.throwIfAborted();
    return await work(pick(taken, chosen), (letter) => inHand.delete(letter));
  } finally {
    await inParallel(inHand, AT_ONCE, async ({ receipt }) => {
      try {
        await queue.release(receipt);
      } catch (error) {
        // Its hold expired, so it is back in the queue.
        if (!(error instanceof LeaseLostError)) throw error;
      }
    });
  }
}

/** Finds a dead letter by its id, or by a beginning of it that no other id has. */
function pick(letters: readonly ReceivedMessage[], chosen: Chosen): readonly ReceivedMessage[] {
  if (chosen === 'all') return letters;
  return chosen.map((id) => {
    const [found, ...others] = letters.filter(({ messageId }) => messageId.startsWith(id));
    if (!found) throw new Error(`There is no dead letter ${id}, or somebody else has it in hand.`);
    if (others.length > 0) throw new Error(`Several dead letters begin with ${id}.`);
    return found;
  });
}

/** Runs the work for each letter until `stop` aborts. Returns the number of letters. */
async function forEach(
  letters: readonly ReceivedMessage[],
  stop: AbortSignal,
  done: (letter: ReceivedMessage) => void,
  work: (letter: ReceivedMessage) => Promise<void>,
): Promise<number> {
  await inParallel(letters, AT_ONCE, async (letter) => {
    stop.throwIfAborted();
    await work(letter);
    done(letter);
  });
  return letters.length;
}

function explainAll(
  { backend, env }: Stage,
  letters: readonly ReceivedMessage[],
): Promise<readonly DeadLetter[]> {
  return inParallel(letters, AT_ONCE, (letter) =>
    describeDeadLetter({ store: backend.store, config: env }, letter),
  );
}

/** Asks before any letter is taken, because a person may think for longer than a letter can be held. */
async function confirm(chosen: Chosen, letters: Queue, stop: AbortSignal): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError('Nobody can be asked here: add --yes.');
  const number = chosen === 'all' ? (await letters.counts()).visible : chosen.length;
  const question = `${count(number, 'dead letter')} will be gone for good. Type yes to drop:`;
  if ((await ask(question, stop)) !== 'yes') throw new Error('Nothing was dropped.');
}

function report(json: boolean, value: object, text: () => string): void {
  if (json) printJson(value);
  else print(text());
}

function listText(letters: readonly DeadLetter[], now: Date): string {
  if (letters.length === 0) return 'There are no dead letters.\n';
  const lines = letters
    .toSorted((a, b) => a.since.getTime() - b.since.getTime())
    .flatMap(({ id, since, step, source, reason }) => [
      `${id}  ${ago(since, now).padEnd(10)}  ${(step ?? '').padEnd(16)}  ${oneLine(source ?? '')}`,
      `    ${oneLine(reason.split('\n', 1)[0] ?? '')}`,
    ]);
  if (letters.length === MOST) lines.push(`These are ${MOST}; there may be more.`);
  return `${lines.join('\n')}\n`;
}

function letterText(letter: DeadLetter): string {
  const { id, since, step, jobId, source, reason, message } = letter;
  const lines = [
    `Dead letter ${id}`,
    `  since    ${since.toISOString()}`,
    ...(step === undefined ? [] : [`  step     ${step}`]),
    ...(jobId === undefined ? [] : [`  job      ${jobId}`]),
    ...(source === undefined ? [] : [`  source   ${oneLine(source)}`]),
    ...reason
      .split('\n')
      .map((line, index) => `  ${(index === 0 ? 'reason' : '').padEnd(7)}  ${oneLine(line)}`),
    `  message  ${oneLine(message)}`,
  ];
  return `${lines.join('\n')}\n`;
}
