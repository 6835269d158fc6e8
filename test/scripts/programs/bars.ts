import { setTimeout as after } from 'node:timers/promises';
import { createReport } from '../../../scripts/cli/report.ts';
import { say } from '../../../scripts/cli/terminal.ts';

/** Reports on files as a command does, one of them with a hostile name, and is stopped with one half done. */

const HOSTILE = 'a\x1b]0;owned\x07\x9b2J\u202egpj\nb.mp4';
/** The bars are drawn ten times a second. */
const DRAWN_MILLISECONDS = 300;

const stop = new AbortController();
const report = createReport(stop.signal);
report.progress(HOSTILE, 'processing', 0.4);
report.progress('half.mp4', 'processing', 0.5);
await after(DRAWN_MILLISECONDS);
report.result(HOSTILE, {
  ...{ source: HOSTILE, status: 'rejected', code: 'no_video' },
  reason: `There is no picture in ${HOSTILE}.`,
});
report.note(`${HOSTILE} is noted.`);
await after(DRAWN_MILLISECONDS);
stop.abort();
say('Stopping.');
report.progress('half.mp4', 'processing', 0.6);
await after(DRAWN_MILLISECONDS);
report.close();
