import { effect, signal } from '@preact/signals';
import * as z from 'zod/mini';
import type { OpenUpload } from '../protocol.ts';
import { remembered } from './answers.ts';
import { arrive } from './library.ts';
import { say, tell } from './speech.ts';
import { Upload } from './upload.ts';
import type { FileMark } from './upload.ts';

/** Files that are not whole in the bucket, in the order in which they were chosen. */
export const uploads = signal<readonly Upload[]>([]);

/** Takes files to be uploaded, or goes on with those that were interrupted. */
export function take(files: Iterable<File>): void {
  for (const file of files) {
    const mark = { name: file.name, sizeBytes: file.size, lastModified: file.lastModified };
    const known = uploads.value.find((one) => same(one.mark, mark));
    if (file.size === 0) tell(`${file.name} is empty: there is nothing to upload.`);
    else if (known?.active) tell(`${file.name} is being uploaded already.`);
    else (known ?? add(new Upload(mark, (open) => remember(mark, open)))).start(file);
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

/** Shows again what was being uploaded when the page was left. */
export async function restore(): Promise<void> {
  const found = Object.keys(localStorage).flatMap((key) => {
    if (!key.startsWith(KEPT)) return [];
    const { data } = z.safeParse(remembered, parseJson(localStorage.getItem(key)));
    if (!data) localStorage.removeItem(key);
    return data ? [data] : [];
  });
  await Promise.all(
    found.map(async ({ name, sizeBytes, lastModified, ...open }) => {
      const mark = { name, sizeBytes, lastModified };
      const upload = add(new Upload(mark, (fresh) => remember(mark, fresh), open));
      // When the server cannot be reached it is asked once the file is there.
      const there = await upload.look().catch(() => true);
      if (!there && !upload.active) remove(upload);
    }),
  );
}

/** Asks who leaves while something is on its way. */
export function guardLeaving(): void {
  addEventListener('beforeunload', (event) => {
    if (uploads.value.some((one) => one.active)) event.preventDefault();
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

const KEPT = 'vodstack upload ';

function keyOf({ name, sizeBytes, lastModified }: FileMark): string {
  return `${KEPT}${sizeBytes} ${lastModified} ${name}`;
}

function remember(mark: FileMark, open: OpenUpload): void {
  localStorage.setItem(keyOf(mark), JSON.stringify({ ...mark, ...open }));
}

function same(one: FileMark, other: FileMark): boolean {
  return keyOf(one) === keyOf(other);
}

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
