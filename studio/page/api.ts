import * as z from 'zod';
import {
  completedUploadSchema,
  openUploadSchema,
  problemSchema,
  sentPartsSchema,
  signedPartSchema,
} from '../schema.ts';
import type { CompleteUpload, NewTitle, NewUpload, PartRequest, UploadName } from '../schema.ts';

/** The server answered with an error. The message is a sentence for a person. */
export class RefusedError extends Error {
  readonly status: number;

  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

/** There was no answer. */
export class UnreachableError extends Error {}

/** Each call throws RefusedError or UnreachableError; if its signal is aborted, the signal's reason. */
export const api = {
  openUpload: (body: NewUpload, signal: AbortSignal) =>
    send('POST', 'uploads', openUploadSchema, body, signal),
  sentParts: (body: UploadName, signal?: AbortSignal) =>
    send('POST', 'uploads/parts', sentPartsSchema, body, signal),
  signPart: (body: PartRequest, signal: AbortSignal) =>
    send('POST', 'uploads/sign', signedPartSchema, body, signal),
  complete: (body: CompleteUpload, signal: AbortSignal) =>
    send('POST', 'uploads/complete', completedUploadSchema, body, signal),
  abort: (body: UploadName) => send('POST', 'uploads/abort', NO_CONTENT, body),
  retry: (id: string) => send('POST', `items/${encodeURIComponent(id)}/retry`, NO_CONTENT),
  rename: (id: string, body: NewTitle) =>
    send('POST', `items/${encodeURIComponent(id)}/title`, NO_CONTENT, body),
  remove: (id: string) => send('DELETE', `items/${encodeURIComponent(id)}`, NO_CONTENT),
};

const NO_CONTENT = z.undefined();

/** The address of the library's events, for an EventSource. */
export const EVENTS = addressOf('events');

/** What people call the backend whose videos this page shows. */
export const BACKEND_NAME = metaOf(document, 'studio-backend');

/** Shown when another studio is served at the same address: no request of this page may reach it by mistake. */
export function otherBackend(name: string): string {
  return `This address is now the studio of ${name}. This page belongs to ${BACKEND_NAME}: reload it.`;
}

let token = metaOf(document, 'studio-token');

async function send<T>(
  method: 'POST' | 'DELETE',
  path: string,
  answer: z.ZodType<T>,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const attempt = () =>
    reach(addressOf(path), {
      method,
      headers: { 'x-studio-token': token, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
  let response = await attempt();
  if (response.status === 403) {
    // The token changes each time the server starts.
    token = await newToken();
    response = await attempt();
  }
  const json: unknown = response.status === 204 ? undefined : await response.json().catch(() => '');
  if (!response.ok) {
    const { data } = problemSchema.safeParse(json);
    throw new RefusedError(
      response.status,
      data?.error ?? `The server answered ${response.status}.`,
    );
  }
  const { data, success } = answer.safeParse(json);
  if (!success) throw new RefusedError(0, OTHER_VERSION);
  return data;
}

/** Shown when an answer does not have the expected shape. */
export const OTHER_VERSION = 'The server has another version than this page. Reload the page.';

async function newToken(): Promise<string> {
  const response = await reach(new URL('.', document.baseURI).href, { cache: 'no-store' });
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const name = metaOf(page, 'studio-backend');
  if (name !== BACKEND_NAME) throw new RefusedError(0, otherBackend(name));
  return metaOf(page, 'studio-token');
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    init.signal?.throwIfAborted();
    throw new UnreachableError('The server cannot be reached.', { cause: error });
  }
}

function metaOf(page: Document, name: 'studio-token' | 'studio-backend'): string {
  return page.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? '';
}

function addressOf(path: string): string {
  return new URL(`api/${path}`, document.baseURI).href;
}
