import { computed, signal } from '@preact/signals';
import { titleOf } from '../../core/model/title.ts';
import { librarySchema, problemSchema } from '../schema.ts';
import type { Library, LibraryItem, WaitingItem } from '../schema.ts';
import { BACKEND_NAME, EVENTS, OTHER_VERSION, otherBackend } from './api.ts';
import { announce } from './messages.ts';

/** As the server sent it last; undefined until then. */
export const library = signal<Library | undefined>(undefined);

/** A sentence while the library may be out of date. */
export const outage = signal<string | undefined>(undefined);

/** Completed uploads that the server has not listed yet. */
const uploaded = signal<readonly WaitingItem[]>([]);

export const items = computed((): readonly LibraryItem[] => [
  ...uploaded.value,
  ...(library.value?.items ?? []),
]);

/** Shows a completed upload at once, before the server lists it. */
export function showUploaded(id: string, fileName: string): void {
  if (library.value?.items.some((item) => item.id === id)) return;
  const uploadedAt = new Date().toISOString();
  const title = titleOf(fileName);
  const item: WaitingItem = { id, title, fileName, uploadedAt, state: 'waiting' };
  uploaded.value = [item, ...uploaded.value];
}

/** EventSource does not reconnect after an error status; the page opens a new one after this time. */
const RECONNECT_MS = 2_000;

/**
 * Listens to the server while the page is visible. A hidden page would make the server poll the buckets, which costs
 * money in the cloud, and would hold one of the six connections that a browser opens to a server.
 */
export function listen(): void {
  let source: EventSource | undefined;
  const follow = () => {
    if (!document.hidden) source ??= open(reopen);
    else {
      source?.close();
      source = undefined;
    }
  };
  const reopen = () => {
    source = undefined;
    setTimeout(follow, RECONNECT_MS);
  };
  document.addEventListener('visibilitychange', follow);
  follow();
}

function open(onClosed: () => void): EventSource {
  const source = new EventSource(EVENTS);
  source.onmessage = ({ data }: MessageEvent<string>) => {
    const { data: received } = librarySchema.safeParse(JSON.parse(data));
    if (!received) outage.value = OTHER_VERSION;
    else if (received.backendName !== BACKEND_NAME) {
      outage.value = otherBackend(received.backendName);
    } else {
      outage.value = undefined;
      update(received);
    }
  };
  source.addEventListener('problem', ({ data }: MessageEvent<string>) => {
    outage.value = problemSchema.safeParse(JSON.parse(data)).data?.error;
  });
  source.onerror = () => {
    outage.value =
      'The studio’s server cannot be reached. Is it running? This page continues by itself once it is back.';
    if (source.readyState === EventSource.CLOSED) onClosed();
  };
  return source;
}

function update(received: Library): void {
  const before = new Map(items.value.map((item) => [item.id, item]));
  for (const item of received.items) {
    const old = before.get(item.id);
    if (old && old.state !== item.state) announceState(item);
  }
  const listed = new Set(received.items.map(({ id }) => id));
  uploaded.value = uploaded.value.filter(({ id }) => !listed.has(id));
  library.value = received;
}

function announceState(item: LibraryItem): void {
  switch (item.state) {
    case 'ready':
      return announce(`${item.title} is ready.`);
    case 'rejected':
      return announce(`${item.title} was rejected. ${item.reason}`);
    case 'failed':
      return announce(`${item.title} failed. ${item.reason}`);
    case 'working':
      return announce(`A worker has started on ${item.title}.`);
    case 'waiting':
      return;
  }
}
