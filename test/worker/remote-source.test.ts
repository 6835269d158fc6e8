import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { RejectedError, TransientError } from '../../core/model/errors.ts';
import { openAwsBackend } from '../../core/storage/aws/backend.ts';
import type { Backend } from '../../core/storage/ports.ts';
import { probeSource } from '../../worker/ffmpeg/probe.ts';
import { withSource } from '../../worker/source.ts';
import { clip } from '../e2e/clips.ts';

const ETAG = 'abc';
/** What a request gets instead of its response: an error, or a response that breaks off. */
type Fault = 'cut' | { readonly status: number; readonly code: string };

let bytes = Buffer.of();
let etag = ETAG;
let strike: (request: IncomingMessage) => Fault | undefined = () => undefined;
/** Serves one object in the way of S3. */
const s3 = createServer((request, response) => {
  const fault = strike(request);
  if (typeof fault === 'object') {
    response.writeHead(fault.status).end(`<Error><Code>${fault.code}</Code></Error>`);
    return;
  }
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  const part = bytes.subarray(Number(from), Number(to) + 1);
  response.writeHead(206, {
    'content-length': part.length,
    'content-range': `bytes ${from}-${to}/${bytes.length}`,
    etag: `"${etag}"`,
    'last-modified': 'Thu, 26 Nov 2026 12:00:00 GMT',
  });
  if (fault === 'cut') {
    response.write(part.subarray(0, part.length / 2), () => request.socket.destroySoon());
  } else response.end(part);
});

let backend: Backend;
beforeAll(async () => {
  await once(s3.listen(0, '127.0.0.1'), 'listening');
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(s3.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'somebody');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  backend = await openAwsBackend();
});
afterEach(() => {
  etag = ETAG;
  strike = () => undefined;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await backend.close();
  s3.closeAllConnections();
  s3.close();
});

const signal = new AbortController().signal;

function read<Result>(
  work: (address: string, signal: AbortSignal) => Promise<Result>,
  { store } = backend,
): Promise<Result> {
  const source = { bucket: 'bucket', key: 'key', etag: ETAG };
  return withSource({ store, source, sizeBytes: bytes.length, signal }, work);
}

/** Reads the bytes from `first` on, with a request like ffmpeg's. */
async function readFrom(address: string, first: number): Promise<Buffer> {
  const answer = await fetch(address, { headers: { range: `bytes=${first}-` } });
  return Buffer.from(await answer.arrayBuffer());
}

const probe = (address: string, signal: AbortSignal) =>
  probeSource({
    address,
    sizeBytes: bytes.length,
    signal,
    ffmpeg: 'ffmpeg',
    ffprobe: 'ffprobe',
    limits: { maxDurationSeconds: 3600, maxSizeBytes: 1e9, maxPicturePixels: 36e6 },
    picture: 'optional',
  });

const codeOf = (error: unknown) => (error instanceof RejectedError ? error.code : String(error));

describe('A remote source', () => {
  test('A remote source is read completely although responses break off and fail', async () => {
    bytes = randomBytes(3e6);
    const struck: (Fault | undefined)[] = [];
    const refused = { status: 403, code: 'AccessDenied' };
    strike = () => {
      struck.push([undefined, 'cut' as const, refused][struck.length % 3]);
      return struck.at(-1);
    };
    const digest = (some: Buffer) => createHash('md5').update(some).digest('hex');
    const seen = await read((address) => readFrom(address, 1e5));
    expect(digest(seen)).toBe(digest(bytes.subarray(1e5)));
    expect(struck).toEqual(expect.arrayContaining(['cut', refused]));
  });

  test('Reading a remote source continues when the first credentials expire', async () => {
    bytes = Buffer.alloc(3e6, 7);
    let issued = 0;
    const issuer = createServer((_request, response) => {
      issued += 1;
      const Expiration = new Date(Date.now() + 60_000).toISOString();
      const keys = { AccessKeyId: `key${issued}`, SecretAccessKey: 'secret', Token: 'token' };
      response.end(JSON.stringify({ ...keys, Expiration }));
    });
    await once(issuer.listen(0, '127.0.0.1'), 'listening');
    const { port } = issuer.address() as AddressInfo;
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `http://127.0.0.1:${port}/`);
    const keys = new Set<string | undefined>();
    strike = ({ headers }) => {
      const key = /Credential=(\w+)\//.exec(headers.authorization ?? '')?.[1];
      // Each key is valid for one response.
      if (keys.has(key)) return { status: 400, code: 'ExpiredToken' };
      keys.add(key);
      return undefined;
    };
    const task = await openAwsBackend();
    try {
      const seen = await read((address) => readFrom(address, 0), task);
      expect(seen.length).toBe(bytes.length);
      expect(keys.size).toBeGreaterThan(1);
      expect(keys).not.toContain(undefined);
    } finally {
      await task.close();
      issuer.close();
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'somebody');
      vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', undefined);
    }
  });

  test('A source of which bytes cannot be read is not rejected, and the program that reads it is ended', async () => {
    bytes = readFileSync(
      clip({ name: 'long.ts', seconds: 40, size: '320x180', more: ['-b:v', '500k'] }),
    );
    strike = ({ headers }) => (headers.range?.startsWith('bytes=0-') ? undefined : 'cut');
    const ends: string[] = [];
    const probed = read(async (address, signal) => {
      try {
        return await probe(address, signal);
      } catch (error) {
        ends.push(codeOf(error));
        throw new RejectedError('damaged_source', 'It looks damaged.');
      }
    });
    await expect(probed).rejects.toThrow(TransientError);
    await expect(probed).rejects.toThrow(/The source could not be read.*bytes too short|aborted/);
    expect(ends).toEqual([expect.stringMatching(/^TransientError/)]);
  });

  test('A source that is replaced or deleted while it is read is rejected, and its bytes are not mixed', async () => {
    bytes = Buffer.alloc(3e6, 7);
    const codes = [];
    for (const fault of [undefined, { status: 404, code: 'NoSuchKey' }]) {
      etag = ETAG;
      strike = ({ headers }) => {
        if (headers.range?.startsWith('bytes=0-')) return undefined;
        etag = 'def';
        return fault;
      };
      codes.push(await read((address) => readFrom(address, 0)).catch(codeOf));
    }
    expect(codes).toEqual(['source_replaced', 'source_gone']);
  });

  test('A truncated remote source is rejected as truncated', async () => {
    const more = ['-movflags', '+faststart'];
    bytes = readFileSync(clip({ name: 'front.mp4', seconds: 10, more }));
    bytes = bytes.subarray(0, bytes.length / 2);
    expect(await read(probe).catch(codeOf)).toBe('truncated_source');
  });

  test('The byte server needs the exact address, and serves only ranges within the source', async () => {
    bytes = Buffer.alloc(1000, 7);
    const [served, guessed] = await read(async (address) => {
      const ask = (url: string, range: string) => fetch(url, { headers: { range } });
      return [
        await Promise.all(
          ['bytes=990-', 'bytes=990-1200', 'bytes=1000-', 'bytes=-1', 'bytes=3-2'].map(
            async (range) => {
              const answer = await ask(address, range);
              return [answer.status, (await answer.arrayBuffer()).byteLength];
            },
          ),
        ),
        (await ask(new URL('/', address).href, 'bytes=0-')).status,
      ];
    });
    expect(served).toEqual([
      [206, 10],
      [206, 10],
      [416, 0],
      [416, 0],
      [416, 0],
    ]);
    expect(guessed).toBe(404);
  });
});
