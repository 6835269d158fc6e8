import { basename } from 'node:path';
import { MultiBar } from 'cli-progress';

/** How one file ended, as it is printed. */
export type FileResult =
  | {
      readonly source: string;
      readonly status: 'ready';
      readonly assetId: string;
      readonly playlist: string;
      readonly page: string;
      readonly exported?: string | undefined;
      readonly durationSeconds: number;
      readonly renditions: readonly string[];
      readonly elapsedSeconds: number;
    }
  | {
      readonly source: string;
      readonly status: 'rejected' | 'failed';
      readonly code: string;
      readonly reason: string;
    };

export interface Report {
  /** 0 to 1 of the step that the file is at. */
  progress(file: string, step: 'uploading' | 'processing', done: number): void;
  result(file: string, result: FileResult): void;
  close(): void;
}

/** Bars for a person at a terminal, lines of JSON for a script. */
export function createReport(terminal: boolean): Report {
  return terminal ? bars() : lines();
}

function lines(): Report {
  return {
    progress: () => undefined,
    result: (_file, result) => process.stdout.write(`${JSON.stringify(result)}\n`),
    close: () => undefined,
  };
}

function bars(): Report {
  const all = new MultiBar({
    format: '{bar} {percentage}% {name} {step}',
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    // Without it a long reason is cut off at the right.
    linewrap: true,
    hideCursor: true,
    clearOnComplete: false,
    autopadding: true,
  });
  const bar = new Map<string, { readonly bar: ReturnType<MultiBar['create']>; since: number }>();
  const of = (file: string) => {
    const known = bar.get(file);
    if (known) return known;
    const made = {
      bar: all.create(100, 0, { name: shorten(basename(file)), step: '' }),
      since: performance.now(),
    };
    bar.set(file, made);
    return made;
  };
  return {
    progress: (file, step, done) => {
      const { bar: one, since } = of(file);
      one.update(Math.floor(done * 100), { step: `${step}${timeLeft(done, since)}` });
    },
    result: (file, result) => {
      const { bar: one } = of(file);
      if (result.status === 'ready') one.update(100, { step: result.status });
      else one.update({ step: result.status });
      const text =
        result.status === 'ready'
          ? `${basename(file)}\n  watch  ${result.page}\n  HLS    ${result.playlist}${result.exported ? `\n  files  ${result.exported}` : ''}`
          : `${basename(file)} was ${result.status}: ${result.reason}`;
      // Each line ends what stands behind it: the bars were there before.
      all.log(`${text.replaceAll('\n', `${ERASE}\n`)}${ERASE}\n`);
      all.update();
    },
    close: () => all.stop(),
  };
}

/** Erases the rest of a terminal's line. */
const ERASE = '\x1b[K';

/** The first tenth says too little of the rest. */
function timeLeft(done: number, since: number): string {
  if (done < 0.1 || done >= 1) return '';
  const seconds = Math.round(((performance.now() - since) / 1000 / done) * (1 - done));
  return `, ${seconds >= 90 ? `${Math.round(seconds / 60)} min` : `${seconds} s`} left`;
}

function shorten(name: string): string {
  return name.length > 40 ? `${name.slice(0, 37)}…` : name;
}
