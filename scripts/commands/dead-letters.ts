import { UsageError } from '../cli/arguments.ts';
import { ask } from '../cli/ask.ts';
import { runCommand, unlessStopped } from '../cli/command.ts';
import { describeDeadLetter } from '../../core/catalog/dead-letter.ts';
import type { DeadLetter } from '../../core/catalog/dead-letter.ts';
import { print, printJson } from '../cli/terminal.ts';
import { ago, count } from '../cli/text.ts';
import { returnDeadLetter, takeDeadLetters } from '../../core/storage/dead-letter-queue.ts';
import { inParallel } from '../../core/storage/in-parallel.ts';
import { openJobQueue } from '../../core/storage/job-queue.ts';
import { LeaseLostError } from '../../core/model/errors.ts';
import type { Queue, ReceivedMessage } from '../../core/storage/ports.ts';
import { oneLine } from '../../core/model/printable.ts';
import { DEAD_LETTERS_HELP, readDeadLettersOptions } from './stage-options.ts';
import type { Chosen, DeadLettersOptions } from './stage-options.ts';
import { openStage } from '../aws/stage.ts';
import type { Stage } from '../aws/stage.ts';

/** Letters that are taken at a time: what a person can look through, and be done with before they come back. */
const MOST = 1000;
/** A letter in hand that is not given back, as the power is gone, comes back by itself after that. */
const HOLD_SECONDS = 120;
const AT_ONCE = 16;

await runCommand({
  name: './scripts/dead-letters',
  help: DEAD_LETTERS_HELP,
  stopping: 'Stopping; the dead letters that are in hand are given back.',
  read: readDeadLettersOptions,
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
 * Takes the dead letters, does the work on those that are chosen, and gives all others back, and of
 * the chosen those that are not `done`. Throws Error when one is chosen that is not there.
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
        // It has come back by itself.
        if (!(error instanceof LeaseLostError)) throw error;
      }
    });
  }
}

/** A letter is named by its id, or by as much of its beginning as no other has. */
function pick(letters: readonly ReceivedMessage[], chosen: Chosen): readonly ReceivedMessage[] {
  if (chosen === 'all') return letters;
  return chosen.map((id) => {
    const [found, ...others] = letters.filter(({ messageId }) => messageId.startsWith(id));
    if (!found) throw new Error(`There is no dead letter ${id}, or somebody else has it in hand.`);
    if (others.length > 0) throw new Error(`Several dead letters begin with ${id}.`);
    return found;
  });
}

/** Does it for each until told to stop; returns for how many. */
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

/** Before any is taken: a person may think for longer than a letter can be held. */
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
