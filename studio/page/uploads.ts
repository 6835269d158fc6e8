import { effect, signal } from '@preact/signals';
import * as z from 'zod/mini';
import type { OpenUpload } from '../schema.ts';
import { remembered } from './answers.ts';
import { BACKEND_NAME } from './api.ts';
import { arrive } from './library.ts';
import { compareNames } from './order.ts';
import { say, tell } from './speech.ts';
import { Upload } from './upload.ts';
import type { FileMark } from './upload.ts';

/** Files that are not whole in the bucket, the first to be sent first. */
export const uploads = signal<readonly Upload[]>([]);

/** Takes files to be uploaded, in the order of their names, or goes on with those that were interrupted. */
export function take(files: Iterable<File>): void {
  // A picker and a drop have an order of their own.
  for (const file of [...files].sort((a, b) => compareNames(a.name, b.name))) {
    const known = find(file);
    if (file.size === 0) tell(`${file.name} is empty: there is nothing to upload.`);
    else if (known?.active) tell(`${file.name} is being uploaded already.`);
    else if (known) known.start(file);
    else void begin(file);
  }
}

/** Goes on with uploads that were interrupted; no other file begins a new one unasked. */
export function goOn(files: Iterable<File>): void {
  for (const file of files) {
    if (find(file)) take([file]);
    else {
      tell(
        `This ${file.name} is not the file that was interrupted: its name, size or date is another. ` +
          'To upload it as a new video, drop it here or choose Upload videos.',
      );
    }
  }
}

/** Stops an upload and throws away what was sent of it. */
export async function cancel(upload: Upload): Promise<void> {
  remove(upload);
  await upload.cancel().catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    tell(`What was sent of ${upload.mark.name} could not be removed, and is in some days. ${why}`);
  });
}

/** Shows again what was being uploaded when a page was left: this one before, or that of another tab. */
export function restore(): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith(KEPT)) void reclaim(key);
  addEventListener('storage', ({ key, newValue }) => {
    if (key?.startsWith(KEPT) && newValue !== null) void reclaim(key);
  });
}

/** Asks who leaves while something is on its way. */
export function guardLeaving(): void {
  addEventListener('beforeunload', (event) => {
    if (uploads.value.some((one) => one.active)) event.preventDefault();
  });
}

/** Of each upload its tab holds a lock, so that no other tab takes it for interrupted or sends it, too. */
async function begin(file: File): Promise<void> {
  const mark = markOf(file);
  await navigator.locks.request(keyOf(mark), { ifAvailable: true }, (lock) => {
    if (!lock) return tell(`${mark.name} is an upload of another tab. Go on with it there.`);
    const upload = add(new Upload(mark, (open) => remember(mark, open)));
    upload.start(file);
    return removed(upload);
  });
}

/** Waits for the tab that has an upload, if there is one, and shows what it left undone. */
async function reclaim(key: string): Promise<void> {
  await navigator.locks.request(key, async () => {
    const { data } = z.safeParse(remembered, parseJson(localStorage.getItem(key)));
    if (!data) return localStorage.removeItem(key);
    const { name, sizeBytes, lastModified, ...open } = data;
    const mark = { name, sizeBytes, lastModified };
    const upload = add(new Upload(mark, (fresh) => remember(mark, fresh), open));
    // When the server cannot be reached it is asked once the file is there.
    const there = await upload.look().catch(() => true);
    if (!there && !upload.active) remove(upload);
    await removed(upload);
  });
}

function add(upload: Upload): Upload {
  uploads.value = [...uploads.value, upload];
  void upload.completed.then((id) => {
    const { name } = upload.mark;
    arrive(id, name);
    remove(upload);
    say(`${name} is uploaded.`);
  });
  const stopListening = effect(() => {
    const state = upload.state.value;
    if (state.at === 'failed') say(`${upload.mark.name} could not be uploaded. ${state.reason}`);
  });
  void upload.completed.then(stopListening);
  return upload;
}

function remove(upload: Upload): void {
  uploads.value = uploads.value.filter((one) => one !== upload);
  localStorage.removeItem(keyOf(upload.mark));
}

function removed(upload: Upload): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stop = effect(() => {
    if (!uploads.value.includes(upload)) resolve(undefined);
  });
  return promise.finally(stop);
}

/** One for each backend: another one may be served at the same address at another time. */
const KEPT = `vodstack upload ${BACKEND_NAME} `;

function keyOf({ name, sizeBytes, lastModified }: FileMark): string {
  return `${KEPT}${sizeBytes} ${lastModified} ${name}`;
}

function remember(mark: FileMark, open: OpenUpload): void {
  localStorage.setItem(keyOf(mark), JSON.stringify({ ...mark, ...open }));
}

function find(file: File): Upload | undefined {
  const key = keyOf(markOf(file));
  return uploads.value.find(({ mark }) => keyOf(mark) === key);
}

function markOf({ name, size: sizeBytes, lastModified }: File): FileMark {
  return { name, sizeBytes, lastModified };
}

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
