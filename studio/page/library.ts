import { computed, signal } from '@preact/signals';
import * as z from 'zod/mini';
import { titleOf } from '../../core/model/title.ts';
import type { Library, LibraryItem, WaitingItem } from '../schema.ts';
import { library as libraryAnswer, problem } from './answers.ts';
import { EVENTS, BACKEND_NAME, otherBackend } from './api.ts';
import { say } from './speech.ts';

/** As the server last told it; undefined until it has. */
export const library = signal<Library | undefined>(undefined);

/** A sentence when the library may be out of date. */
export const outage = signal<string | undefined>(undefined);

/** What has just been uploaded, until the server tells of it. */
const arrivals = signal<readonly WaitingItem[]>([]);

export const items = computed((): readonly LibraryItem[] => [
  ...arrivals.value,
  ...(library.value?.items ?? []),
]);

/** Shows what is whole in the bucket, until the server tells of it. */
export function arrive(id: string, fileName: string): void {
  if (library.value?.items.some((item) => item.id === id)) return;
  const uploadedAt = new Date().toISOString();
  const title = titleOf(fileName);
  const item: WaitingItem = { id, title, fileName, uploadedAt, state: 'waiting' };
  arrivals.value = [item, ...arrivals.value];
}

/** EventSource gives up when it is answered with a status; then it is made anew after this. */
const RECONNECT_MS = 2_000;

/**
 * Listens to the server while the page can be seen: the server looks at the buckets for it, which costs
 * money in the cloud, and a browser has six connections to a server for all of its tabs.
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

function open(onGivenUp: () => void): EventSource {
  const source = new EventSource(EVENTS);
  source.onmessage = ({ data }: MessageEvent<string>) => {
    const { data: told } = z.safeParse(libraryAnswer, JSON.parse(data));
    if (!told) {
      outage.value =
        'The server says what this page does not understand: it is of another version. Reload the page.';
    } else if (told.backendName !== BACKEND_NAME) outage.value = otherBackend(told.backendName);
    else {
      outage.value = undefined;
      update(told);
    }
  };
  source.addEventListener('trouble', ({ data }: MessageEvent<string>) => {
    outage.value = z.safeParse(problem, JSON.parse(data)).data?.error;
  });
  source.onerror = () => {
    outage.value =
      'The studio’s server cannot be reached. Is it running? This page goes on by itself when it is back.';
    if (source.readyState === EventSource.CLOSED) onGivenUp();
  };
  return source;
}

function update(told: Library): void {
  const before = new Map(items.value.map((item) => [item.id, item]));
  for (const item of told.items) {
    const old = before.get(item.id);
    if (old && old.state !== item.state) tellChange(item);
  }
  const known = new Set(told.items.map(({ id }) => id));
  arrivals.value = arrivals.value.filter(({ id }) => !known.has(id));
  library.value = told;
}

function tellChange(item: LibraryItem): void {
  switch (item.state) {
    case 'ready':
      return say(`${item.title} is ready.`);
    case 'rejected':
      return say(`${item.title} was rejected. ${item.reason}`);
    case 'failed':
      return say(`${item.title} failed. ${item.reason}`);
    case 'working':
      return say(`${item.title} is being worked on.`);
    case 'waiting':
      return;
  }
}
