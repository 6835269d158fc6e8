import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Buckets } from '../../core/catalog/catalog.ts';
import type { WorkerEnv } from '../../core/environment.ts';
import type { Reply } from '../../core/http/reply.ts';
import type { Logger } from '../../core/log.ts';
import { redact } from '../../core/model/redact.ts';
import { UploadGoneError, WrongPartsError } from '../../core/storage/ports.ts';
import type { Backend } from '../../core/storage/ports.ts';
import {
  UPLOAD_GONE,
  completeUploadSchema,
  newTitleSchema,
  newUploadSchema,
  partRequestSchema,
  uploadNameSchema,
} from '../schema.ts';
import type { PartRequest, Problem } from '../schema.ts';
import { remove, rename, retry } from './actions.ts';
import { buildPage, fillPage } from './build.ts';
import type { PageFile, PageValues } from './build.ts';
import { LibraryEvents } from './library-events.ts';
import { LibraryReader } from './library.ts';
import type { Entry } from './library.ts';
import { RequestError, readBody, readBytes } from './requests.ts';
import { partSigner } from './signed-part.ts';
import { completeUpload, openUpload, sentParts } from './uploads.ts';

export interface StudioOptions {
  readonly backend: Backend;
  /** The names of the buckets and of the job queue. */
  readonly names: Pick<WorkerEnv, keyof Buckets | 'JOB_QUEUE'>;
  /** What people call the backend: `this machine`, or the name of a stage. */
  readonly backendName: string;
  /** The origin from which viewers load the videos, without a slash at the end. */
  readonly origin: string;
  /** Whether viewers' URLs need a token. Default: false. */
  readonly tokens?: boolean;
  /** How often the buckets are polled while a page is open. */
  readonly pollMilliseconds: number;
  /** Where the page PUTs parts. Default: this server. */
  readonly parts?: {
    /** `https://bucket.example`, for the page's Content-Security-Policy. */
    readonly origin: string;
    /** Returns a URL that accepts the part for an hour. */
    sign(part: PartRequest): Promise<string>;
  };
  /** Called when there is new work for the workers. */
  readonly onWork?: () => Promise<void>;
  /**
   * Called when an asset's published files are deleted, which caches may still hold. If it throws, the source
   * stays, and the asset can be deleted again.
   */
  readonly onRemoved?: (assetId: string) => Promise<void>;
  readonly log: Logger;
}

/** The studio's part of a server: everything below `/studio`. */
export interface Studio {
  answer(request: IncomingMessage): Promise<Reply>;
}

const PARTS = '/studio/parts';
const API = '/studio/api/';

/**
 * Serves the administrator's page and its API. The server must listen on loopback only: anyone who reaches it is the
 * administrator. A token that only this page can read keeps out other pages of the same browser.
 */
export function openStudio(options: StudioOptions): Studio {
  const { backend, names, backendName, origin, tokens = false, pollMilliseconds, log } = options;
  const { store } = backend;
  const bucket = names.SOURCE_BUCKET;
  const token = randomBytes(24).toString('base64url');
  const signer = partSigner(PARTS);
  const catalog = { store, config: names, jobs: backend.queue(names.JOB_QUEUE) };
  const reader = new LibraryReader(catalog, origin);
  const events = new LibraryEvents({
    poll: async () => ({
      backendName,
      origin,
      tokens,
      items: (await reader.read()).map(({ item }) => item),
    }),
    pollMilliseconds,
    describe: (error) => {
      log.error({ event: 'studio.unreadable', err: error });
      return `The videos cannot be listed: ${reasonOf(error)}. This page continues by itself as soon as they can.`;
    },
  });

  const find = async (id: string): Promise<Entry> => {
    const entry = (await reader.read()).find(({ item }) => item.id === id);
    if (!entry) throw new RequestError(404, 'This video no longer exists.');
    return entry;
  };
  const workQueued = async () => {
    events.pollNow();
    await options.onWork?.();
  };

  /** The API, by method and path, with `:id` for the id of an item. */
  const routes: Readonly<
    Record<string, (request: IncomingMessage, id: string) => Reply | Promise<Reply>>
  > = {
    [EVENTS]: () => ({
      status: 200,
      headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
      body: events.subscribe(),
    }),
    'POST uploads': async (request) =>
      json(201, await openUpload(store, bucket, await readBody(request, newUploadSchema))),
    'POST uploads/parts': async (request) =>
      json(200, await sentParts(store, bucket, await readBody(request, uploadNameSchema))),
    'POST uploads/sign': async (request) => {
      const part = await readBody(request, partRequestSchema);
      return json(200, {
        url: options.parts ? await options.parts.sign(part) : signer.sign(part),
      });
    },
    'POST uploads/complete': async (request) => {
      const upload = await readBody(request, completeUploadSchema);
      const completed = await completeUpload(store, bucket, upload);
      await workQueued();
      return json(200, completed);
    },
    'POST uploads/abort': async (request) => {
      const { key, uploadId } = await readBody(request, uploadNameSchema);
      await store.abortUpload(bucket, key, uploadId);
      return DONE;
    },
    'POST items/:id/retry': async (_request, id) => {
      await retry(catalog, await find(id));
      await workQueued();
      return DONE;
    },
    'POST items/:id/title': async (request, id) => {
      const { title } = await readBody(request, newTitleSchema);
      await rename(catalog, await find(id), title);
      await reader.refresh(id);
      events.pollNow();
      return DONE;
    },
    'DELETE items/:id': async (_request, id) => {
      await remove(catalog, await find(id), async () => options.onRemoved?.(id));
      reader.forget(id);
      events.pollNow();
      return DONE;
    },
  };

  const answerApi = async (request: IncomingMessage, path: string): Promise<Reply> => {
    const [, id = ''] = /^items\/([0-9a-f]{20})(?:\/|$)/.exec(path) ?? [];
    const name = `${request.method ?? ''} ${id === '' ? path : path.replace(id, ':id')}`;
    if (name !== EVENTS) requireToken(request, token);
    const route = routes[name];
    if (!route) throw new RequestError(404, 'There is no such request.');
    return route(request, id);
  };

  const takePart = async (request: IncomingMessage, query: string): Promise<Reply> => {
    const part = signer.read(new URLSearchParams(query));
    if (!part || request.method !== 'PUT') {
      throw new RequestError(403, 'This URL is not valid, or no longer valid.');
    }
    const { key, uploadId, partNumber, sizeBytes } = part;
    const bytes = await readBytes(request, sizeBytes);
    if (bytes.length < sizeBytes) {
      throw new RequestError(400, `The part has ${bytes.length} of its ${sizeBytes} bytes.`);
    }
    const { etag } = await store.uploadPart(bucket, key, uploadId, partNumber, bytes);
    return { status: 200, headers: { etag: `"${etag}"`, 'content-length': '0' } };
  };

  const answerPage = async ({ method, url }: IncomingMessage, path: string): Promise<Reply> => {
    if (method !== 'GET' && method !== 'HEAD') {
      throw new RequestError(405, 'This can only be read.');
    }
    if (path === '/studio') return { status: 308, headers: { location: '/studio/' } };
    const file = (await buildPage()).get(path.slice('/studio/'.length) || 'index.html');
    if (!file) throw new RequestError(404, `There is no ${url ?? ''}.`);
    return page(file, { token, backendName }, options.parts?.origin);
  };

  return {
    answer: async (request) => {
      const [path = '', query = ''] = (request.url ?? '').split('?', 2);
      try {
        requireSameOrigin(request, path);
        if (path.startsWith(API)) return await answerApi(request, path.slice(API.length));
        if (path === PARTS) return await takePart(request, query);
        return await answerPage(request, path);
      } catch (error) {
        if (error instanceof RequestError) return problem(error.status, error.message);
        if (error instanceof UploadGoneError) return problem(404, UPLOAD_GONE);
        if (error instanceof WrongPartsError) return problem(400, error.message);
        log.error({ event: 'studio.failed', method: request.method, path, err: error });
        return problem(500, `That did not work: ${reasonOf(error)}.`);
      }
    },
  };
}

/** The only request without a token: an EventSource cannot send headers. */
const EVENTS = 'GET events';

const DONE: Reply = { status: 204, headers: { 'cache-control': 'no-store' } };

/** The administrator can often fix the reason: expired credentials, a missing permission, a full disk. */
function reasonOf(error: unknown): string {
  return redact(error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
}

/** The page may be opened from anywhere; only the page makes other requests. Programs do not send `sec-fetch-site`. */
function requireSameOrigin({ headers }: IncomingMessage, path: string): void {
  const site = headers['sec-fetch-site'];
  if (path === '/studio/' || path === '/studio' || site === undefined) return;
  if (site !== 'same-origin') throw new RequestError(403, 'Only the page of the studio may ask.');
}

function requireToken({ headers }: IncomingMessage, token: string): void {
  const given = Buffer.from(String(headers['x-studio-token'] ?? ''));
  const expected = Buffer.from(token);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new RequestError(403, 'The token is not valid, or no longer valid. Reload the page.');
  }
}

function json(status: number, value: object): Reply {
  const headers = {
    'content-type': 'application/json',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
  return { status, headers, body: JSON.stringify(value) };
}

function problem(status: number, error: string): Reply {
  return json(status, { error } satisfies Problem);
}

function page(file: PageFile, values: PageValues, partsOrigin = ''): Reply {
  return {
    status: 200,
    headers: {
      'content-type': file.contentType,
      'content-security-policy': [
        "default-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        `connect-src 'self' ${partsOrigin}`.trim(),
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "object-src 'none'",
      ].join('; '),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      // The page contains a token of this process.
      'cache-control': 'no-store',
    },
    body: fillPage(file, values),
  };
}
