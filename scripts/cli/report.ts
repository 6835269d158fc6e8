import { MultiBar } from 'cli-progress';
import { oneLine, printable } from '../../core/model/printable.ts';
import { nameOf } from './file-name.ts';
import { isTerminal, printJson, say } from './terminal.ts';

/** The result for one file, as it is printed. */
export type FileResult =
  | {
      readonly source: string;
      readonly status: 'ready';
      readonly assetId: string;
      readonly playlist: string;
      readonly page?: string | undefined;
      readonly exported?: string | undefined;
      readonly durationSeconds: number;
      readonly renditions: readonly string[];
      /** A sentence for each kind of stream that is not in the asset. */
      readonly leftOut: readonly string[];
      readonly elapsedSeconds: number;
    }
  | {
      readonly source: string;
      readonly status: 'uploaded';
      readonly assetId: string;
      readonly jobId: string;
      readonly elapsedSeconds: number;
    }
  | {
      readonly source: string;
      readonly status: 'rejected' | 'failed';
      readonly code: string;
      readonly reason: string;
    };

export type Step = 'comparing' | 'uploading' | 'waiting' | 'processing';

export interface Report {
  /** The share of the current step that is done, 0 to 1. */
  progress(file: string, step: Step, done: number): void;
  result(file: string, result: FileResult): void;
  /** Prints a note for a person. It is not part of the results. */
  note(sentence: string): void;
  close(): void;
}

/** Progress bars for a person at a terminal, lines of JSON for a script. The bars end when `stop` aborts. */
export function createReport(stop: AbortSignal): Report {
  const report = isTerminal() ? bars() : LINES;
  stop.addEventListener('abort', () => report.close(), { once: true });
  return report;
}

const LINES: Report = {
  progress: () => undefined,
  result: (_file, result) => printJson(result),
  note: (sentence) => say(oneLine(sentence)),
  close: () => undefined,
};

/** When a step began, and with which share: a resumed upload does not begin at zero. */
interface Began {
  readonly step: Step;
  readonly at: number;
  readonly done: number;
}

/** A bar for each unfinished file, below the results and notes. */
function bars(): Report {
  const all = new MultiBar({
    format: '{bar} {percentage}% {name} {step}',
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    // Otherwise a long reason is cut off at the right.
    linewrap: true,
    hideCursor: true,
    // A line that is printed above moves even unchanged bars.
    forceRedraw: true,
    // A bar that is unfinished when the report closes would show outdated progress.
    clearOnComplete: true,
    // Otherwise the bars are drawn again at Ctrl-C.
    gracefulExit: false,
    autopadding: true,
  });
  const known = new Map<string, { readonly bar: ReturnType<MultiBar['create']>; began?: Began }>();
  let closed = false;
  const of = (file: string) => {
    const one = known.get(file) ?? {
      bar: all.create(100, 0, { name: shorten(oneLine(nameOf(file))), step: '' }),
    };
    known.set(file, one);
    return one;
  };
  const tell = (text: string) => {
    if (known.size === 0) return say(text);
    // Each line erases its rest, where the bars were before.
    all.log(`${printable(text).replaceAll('\n', `${ERASE}\n`)}${ERASE}\n`);
    all.update();
  };
  return {
    progress: (file, step, done) => {
      if (closed) return;
      const one = of(file);
      if (one.began?.step !== step) one.began = { step, at: performance.now(), done };
      one.bar.update(Math.floor(done * 100), {
        step: `${STEPS[step]}${timeLeft(done, one.began)}`,
      });
    },
    result: (file, result) => {
      const bar = known.get(file)?.bar;
      tell(describe(result));
      known.delete(file);
      if (bar) all.remove(bar);
      if (known.size === 0) all.stop();
    },
    note: (sentence) => tell(oneLine(sentence)),
    close: () => {
      if (closed) return;
      closed = true;
      known.clear();
      all.stop();
    },
  };
}

const STEPS: Readonly<Record<Step, string>> = {
  comparing: 'comparing with what was sent before',
  uploading: 'uploading',
  waiting: 'waiting for a worker',
  processing: 'processing',
};

function describe(result: FileResult): string {
  const name = oneLine(result.source);
  switch (result.status) {
    case 'ready':
      return [
        name,
        ...(result.page ? [`  watch  ${result.page}`] : []),
        `  HLS    ${result.playlist}`,
        ...(result.exported ? [`  files  ${result.exported}`] : []),
      ].join('\n');
    case 'uploaded':
      return `${name} is uploaded.\n  job    ${result.jobId}`;
    case 'rejected':
    case 'failed':
      return `${name} ${result.status === 'failed' ? 'failed' : 'was rejected'}: ${oneLine(result.reason)}`;
  }
}

/** Erases the rest of a terminal's line. */
const ERASE = '\x1b[K';

/** The first tenth of a step predicts too little about the rest. */
function timeLeft(done: number, began: Began): string {
  const made = (done - began.done) / (1 - began.done);
  if (!(made >= 0.1 && made < 1)) return '';
  const seconds = Math.round(((performance.now() - began.at) / 1000 / made) * (1 - made));
  return `, ${seconds >= 90 ? `${Math.round(seconds / 60)} min` : `${seconds} s`} left`;
}

function shorten(name: string): string {
  const characters = Array.from(new Intl.Segmenter().segment(name), ({ segment }) => segment);
  return characters.length > 40 ? `${characters.slice(0, 37).join('')}…` : name;
}
