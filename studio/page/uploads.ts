import { effect, signal } from '@preact/signals';
import * as z from 'zod';
import { openUploadSchema } from '../schema.ts';
import type { OpenUpload } from '../schema.ts';
import { BACKEND_NAME } from './api.ts';
import { showUploaded } from './library.ts';
import { addNotice, announce, messageOf } from './messages.ts';
import { compareNames } from './order.ts';
import { Upload } from './upload.ts';
import type { FileIdentity } from './upload.ts';

/** The uploads that are not completed, in the order in which they are sent. */
export const uploads = signal<readonly Upload[]>([]);

/** Uploads files in the order of their names; a file of an interrupted upload resumes that upload. */
export function addFiles(files: Iterable<File>): void {
  // File pickers and drops have an order of their own.
  for (const file of [...files].sort((a, b) => compareNames(a.name, b.name))) {
    const known = find(file);
    if (file.size === 0) addNotice(`${file.name} is empty: there is nothing to upload.`);
    else if (known?.active) addNotice(`${file.name} is already being uploaded.`);
    else if (known) known.start(file);
    else void startUpload(file);
  }
}

/** Resumes interrupted uploads with their files. Any other file adds a notice, not an upload. */
export function resumeWith(files: Iterable<File>): void {
  for (const file of files) {
    if (find(file)) addFiles([file]);
    else {
      addNotice(
        `${file.name} is not the interrupted file: its name, size or date differs. ` +
          'To upload it as a new video, drop it here or choose Upload videos.',
      );
    }
  }
}

/** Stops an upload and discards what was sent. */
export async function cancel(upload: Upload): Promise<void> {
  remove(upload);
  await upload.cancel().catch((error: unknown) => {
    addNotice(
      `The parts of ${upload.identity.name} that were sent could not be deleted. They expire in some days. ${messageOf(error)}`,
    );
  });
}

/** Shows uploads that were interrupted when their page was closed: an earlier page of this tab, or another tab. */
export function restoreUploads(): void {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(STORAGE_PREFIX)) void restoreUpload(key);
  }
  addEventListener('storage', ({ key, newValue }) => {
    if (key?.startsWith(STORAGE_PREFIX) && newValue !== null) void restoreUpload(key);
  });
}

/** Has the browser ask before the page is left while an upload is active. */
export function guardLeaving(): void {
  addEventListener('beforeunload', (event) => {
    if (uploads.value.some((one) => one.active)) event.preventDefault();
  });
}

/** The tab holds a lock for each of its uploads, so no other tab sends it or shows it as interrupted. */
async function startUpload(file: File): Promise<void> {
  const identity = identityOf(file);
  await navigator.locks.request(storageKey(identity), { ifAvailable: true }, (lock) => {
    if (!lock) return addNotice(`${identity.name} is an upload of another tab. Continue there.`);
    const upload = add(new Upload(identity, (open) => save(identity, open)));
    upload.start(file);
    return removed(upload);
  });
}

/** Waits until no other tab has the upload, and shows it if that tab has not completed it. */
async function restoreUpload(key: string): Promise<void> {
  await navigator.locks.request(key, async () => {
    const { data } = savedUploadSchema.safeParse(parseJson(localStorage.getItem(key)));
    if (!data) return localStorage.removeItem(key);
    const { name, sizeBytes, lastModified, ...open } = data;
    const identity = { name, sizeBytes, lastModified };
    const upload = add(new Upload(identity, (opened) => save(identity, opened), open));
    // If the server cannot be reached now, the upload asks again once it has its file.
    const isOpen = await upload.readSentParts().catch(() => true);
    if (!isOpen && !upload.active) remove(upload);
    await removed(upload);
  });
}

function add(upload: Upload): Upload {
  uploads.value = [...uploads.value, upload];
  const { name } = upload.identity;
  const stopListening = effect(() => {
    const state = upload.state.value;
    if (state.at === 'failed') announce(`${name} could not be uploaded. ${state.reason}`);
  });
  void upload.completed.then((id) => {
    stopListening();
    showUploaded(id, name);
    remove(upload);
    announce(`${name} is uploaded.`);
  });
  return upload;
}

function remove(upload: Upload): void {
  uploads.value = uploads.value.filter((one) => one !== upload);
  localStorage.removeItem(storageKey(upload.identity));
}

function removed(upload: Upload): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stop = effect(() => {
    if (!uploads.value.includes(upload)) resolve(undefined);
  });
  return promise.finally(stop);
}

/** One for each backend: another one may be served at the same address at another time. */
const STORAGE_PREFIX = `vodstack upload ${BACKEND_NAME} `;

/** An open upload and its file, as the browser stores them across a reload. */
const savedUploadSchema = openUploadSchema.extend({
  name: z.string(),
  sizeBytes: z.number(),
  lastModified: z.number(),
});

function storageKey({ name, sizeBytes, lastModified }: FileIdentity): string {
  return `${STORAGE_PREFIX}${sizeBytes} ${lastModified} ${name}`;
}

function save(identity: FileIdentity, open: OpenUpload): void {
  localStorage.setItem(storageKey(identity), JSON.stringify({ ...identity, ...open }));
}

function find(file: File): Upload | undefined {
  const key = storageKey(identityOf(file));
  return uploads.value.find(({ identity }) => storageKey(identity) === key);
}

function identityOf({ name, size: sizeBytes, lastModified }: File): FileIdentity {
  return { name, sizeBytes, lastModified };
}

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
