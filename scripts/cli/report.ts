import { MultiBar } from 'cli-progress';
import { oneLine, printable } from '../../core/model/printable.ts';
import { nameOf } from './file-name.ts';
import { isTerminal, printJson, say } from './terminal.ts';

/** How one file ended, as it is printed. */
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
  /** 0 to 1 of the step that the file is at. */
  progress(file: string, step: Step, done: number): void;
  result(file: string, result: FileResult): void;
  /** Something a person should know, that is no result. */
  note(sentence: string): void;
  close(): void;
}

/** Bars for a person at a terminal, lines of JSON for a script. It ends by itself when it is told to stop. */
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

/** When and where a step began, for what is left of it: an upload may go on from the middle. */
interface Began {
  readonly step: Step;
  readonly at: number;
  readonly done: number;
}

/** A bar for each file that is not done; results and notes stand above. */
function bars(): Report {
  const all = new MultiBar({
    format: '{bar} {percentage}% {name} {step}',
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    // Without it a long reason is cut off at the right.
    linewrap: true,
    hideCursor: true,
    // Bars that stay the same stand elsewhere after a line above them.
    forceRedraw: true,
    // A bar that is unfinished when the report closes would show outdated progress.
    clearOnComplete: true,
    // It would draw the bars again at Ctrl-C.
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
    // Each line ends what stands behind it: the bars were there before.
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

/** The first tenth of what was to do says too little of the rest. */
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
