import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Reply } from '../../core/http/reply.ts';
import { UploadGoneError, WrongPartsError } from '../../core/storage/ports.ts';
import type { Backend } from '../../core/storage/ports.ts';
import type { Logger } from '../../core/log.ts';
import { redact } from '../../core/model/redact.ts';
import { remove, rename, retry } from './actions.ts';
import { buildPage, fillPage } from './build.ts';
import type { PageFile } from './build.ts';
import { LibraryReader } from './library.ts';
import type { Entry, Names } from './library.ts';
import { Live } from './live.ts';
import { UPLOAD_GONE } from '../schema.ts';
import type { PartRequest, Problem } from '../schema.ts';
import {
  RequestError,
  completeUpload as completeSchema,
  newTitle,
  newUpload,
  partRequest,
  readBody,
  readBytes,
  uploadName,
} from './requests.ts';
import { partSigner } from './signed-part.ts';
import { completeUpload, openUpload, sentParts } from './uploads.ts';

export interface StudioOptions {
  readonly backend: Backend;
  readonly names: Names;
  /** What people call the backend: `this machine`, or the name of a stage. */
  readonly backendName: string;
  /** Where viewers find the videos, without a slash at the end. */
  readonly origin: string;
  /** Whether viewers' addresses need a token. Default: false. */
  readonly tokens?: boolean;
  /** How often the buckets are looked at while a page is open. */
  readonly pollMilliseconds: number;
  /** Where parts are put; without it, here. */
  readonly parts?: {
    /** `https://bucket.example`, for the page's Content-Security-Policy. */
    readonly origin: string;
    /** An address that takes the part, good for an hour. */
    sign(part: PartRequest): Promise<string>;
  };
  /** Something waits for workers. */
  readonly onWork?: () => Promise<void>;
  /** What is published of an asset is deleted: caches may still hold it. What it throws leaves the rest to be deleted again. */
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
 * The admin's page and what it asks for. It is for loopback: whoever reaches the server is the admin.
 * Other pages of the same browser are kept out by a token that only this page can read.
 */
export function openStudio(options: StudioOptions): Studio {
  const { backend, names, backendName, origin, tokens = false, log } = options;
  const { store } = backend;
  const bucket = names.SOURCE_BUCKET;
  const token = randomBytes(24).toString('base64url');
  const signer = partSigner(PARTS);
  const reader = new LibraryReader(store, names, origin);
  const live = new Live({
    look: async () => ({
      backendName,
      origin,
      tokens,
      items: (await reader.read()).map(({ item }) => item),
    }),
    pollMilliseconds: options.pollMilliseconds,
    sentenceFor: (error) => {
      log.error({ event: 'studio.unreadable', err: error });
      return `The videos cannot be looked at just now: ${reasonOf(error)}. This page goes on by itself when they can.`;
    },
  });

  const worked = async () => {
    live.hurry();
    await options.onWork?.();
  };
  const find = async (id: string): Promise<Entry> => {
    const entry = (await reader.read()).find(({ item }) => item.id === id);
    if (!entry) throw new RequestError(404, 'There is no such video any more.');
    return entry;
  };

  /** What is asked for by method and path below the API. */
  const answerApi = async (request: IncomingMessage, path: string): Promise<Reply> => {
    const { method } = request;
    if (method === 'GET' && path === 'events') return events(live);
    requireToken(request, token);
    const id = /^items\/([0-9a-f]{20})(?:\/(retry|title))?$/.exec(path);
    if (method === 'DELETE' && id?.[1] && !id[2]) {
      const assetId = id[1];
      await remove(backend, names, await find(assetId), async () => options.onRemoved?.(assetId));
      reader.forget(assetId);
      live.hurry();
      return DONE;
    }
    if (method !== 'POST') throw new RequestError(404, 'There is no such request.');
    if (id?.[1] && id[2] === 'title') {
      const { title } = await readBody(request, newTitle);
      await rename(backend, names, await find(id[1]), title);
      await reader.refresh(id[1]);
      live.hurry();
      return DONE;
    }
    if (id?.[1] && id[2]) {
      await retry(backend, names, await find(id[1]));
      await worked();
      return DONE;
    }
    switch (path) {
      case 'uploads':
        return json(201, await openUpload(store, bucket, await readBody(request, newUpload)));
      case 'uploads/parts':
        return json(200, await sentParts(store, bucket, await readBody(request, uploadName)));
      case 'uploads/sign': {
        const part = await readBody(request, partRequest);
        return json(200, {
          url: options.parts ? await options.parts.sign(part) : signer.sign(part),
        });
      }
      case 'uploads/complete': {
        const completed = await completeUpload(
          store,
          bucket,
          await readBody(request, completeSchema),
        );
        await worked();
        return json(200, completed);
      }
      case 'uploads/abort': {
        const { key, uploadId } = await readBody(request, uploadName);
        await store.abortUpload(bucket, key, uploadId);
        return DONE;
      }
      default:
        throw new RequestError(404, 'There is no such request.');
    }
  };

  const takePart = async (request: IncomingMessage, query: string): Promise<Reply> => {
    const part = signer.read(new URLSearchParams(query));
    if (!part || request.method !== 'PUT') {
      throw new RequestError(403, 'This address is not, or no longer, good.');
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
    if (method !== 'GET' && method !== 'HEAD')
      throw new RequestError(405, 'This can only be read.');
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

/** What is said of an error to the admin, who can often help: credentials that ran out, a permission, a full disk. */
function reasonOf(error: unknown): string {
  return redact(error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
}

const DONE: Reply = { status: 204, headers: { 'cache-control': 'no-store' } };

/** The page may be opened from anywhere; all else is asked for by the page. A program says nothing of the kind. */
function requireSameOrigin({ headers }: IncomingMessage, path: string): void {
  const site = headers['sec-fetch-site'];
  if (path === '/studio/' || path === '/studio' || site === undefined) return;
  if (site !== 'same-origin') throw new RequestError(403, 'This is for the page of the studio.');
}

function requireToken({ headers }: IncomingMessage, token: string): void {
  const given = Buffer.from(String(headers['x-studio-token'] ?? ''));
  const right = Buffer.from(token);
  if (given.length !== right.length || !timingSafeEqual(given, right)) {
    throw new RequestError(403, 'The token is not, or no longer, good: load the page again.');
  }
}

function events(live: Live): Reply {
  const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' };
  return { status: 200, headers, body: live.open() };
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

function page(
  file: PageFile,
  values: { readonly token: string; readonly backendName: string },
  partsOrigin = '',
): Reply {
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
      // The page carries a token of this process.
      'cache-control': 'no-store',
    },
    body: fillPage(file, values),
  };
}
