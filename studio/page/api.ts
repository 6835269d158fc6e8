import * as z from 'zod/mini';
import type { CompleteUpload, NewTitle, NewUpload, PartRequest, UploadName } from '../schema.ts';
import { completed, openUpload, problem, sentParts, signedPart } from './answers.ts';

/** The server was reached, and said no, by a sentence. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

/** Nothing came back. */
export class NoAnswer extends Error {}

/** Each throws Refusal or NoAnswer, and the signal's reason when it is aborted. */
export const api = {
  openUpload: (body: NewUpload, signal: AbortSignal) => post('uploads', openUpload, body, signal),
  sentParts: (body: UploadName, signal?: AbortSignal) =>
    post('uploads/parts', sentParts, body, signal),
  signPart: (body: PartRequest, signal: AbortSignal) =>
    post('uploads/sign', signedPart, body, signal),
  complete: (body: CompleteUpload, signal: AbortSignal) =>
    post('uploads/complete', completed, body, signal),
  abort: (body: UploadName) => post('uploads/abort', NOTHING, body),
  retry: (id: string) => post(`items/${encodeURIComponent(id)}/retry`, NOTHING),
  rename: (id: string, body: NewTitle) =>
    post(`items/${encodeURIComponent(id)}/title`, NOTHING, body),
  remove: (id: string) => ask('DELETE', `items/${encodeURIComponent(id)}`, NOTHING),
};

const NOTHING = z.undefined();

/** Where library items come from, as an EventSource wants it. */
export const EVENTS = address('events');

/** The backend whose videos this page looks after. */
export const BACKEND_NAME = metaOf(document, 'studio-backend');

/** What is left to do when another studio is served at the same address: nothing may go there by mistake. */
export function otherBackend(name: string): string {
  return `This address is the studio of ${name} now, and this page is of ${BACKEND_NAME}. Reload the page.`;
}

let token = metaOf(document, 'studio-token');

function post<T>(
  path: string,
  answer: z.ZodMiniType<T>,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  return ask('POST', path, answer, body, signal);
}

async function ask<T>(
  method: 'POST' | 'DELETE',
  path: string,
  answer: z.ZodMiniType<T>,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const send = () =>
    reach(address(path), {
      method,
      headers: { 'x-studio-token': token, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
  let response = await send();
  if (response.status === 403) {
    // Each start of the server has a token of its own.
    token = await newToken();
    response = await send();
  }
  const said: unknown = response.status === 204 ? undefined : await response.json().catch(() => '');
  if (!response.ok) {
    const { data } = z.safeParse(problem, said);
    throw new Refusal(response.status, data?.error ?? `The server answered ${response.status}.`);
  }
  const { data, success } = z.safeParse(answer, said);
  if (!success) {
    throw new Refusal(0, 'The server says what this page does not understand. Reload the page.');
  }
  return data;
}

async function newToken(): Promise<string> {
  const response = await reach(new URL('.', document.baseURI).href, { cache: 'no-store' });
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const name = metaOf(page, 'studio-backend');
  if (name !== BACKEND_NAME) throw new Refusal(0, otherBackend(name));
  return metaOf(page, 'studio-token');
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    init.signal?.throwIfAborted();
    throw new NoAnswer('The server cannot be reached.', { cause: error });
  }
}

function metaOf(page: Document, name: 'studio-token' | 'studio-backend'): string {
  return page.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? '';
}

function address(path: string): string {
  return new URL(`api/${path}`, document.baseURI).href;
}
