import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLog } from '../../core/log.ts';
import { jobIdOf } from '../../core/model/ids.ts';
import { jobKeys, pointerKey, versionKey } from '../../core/model/keys.ts';
import { parseMessage } from '../../core/model/message.ts';
import { titleMetadata } from '../../core/model/title.ts';
import { layoutEnv } from '../../core/storage/local/layout.ts';
import type { Backend, ObjectStore } from '../../core/storage/ports.ts';
import type { Edge } from '../../edge/local/server.ts';
import { startSite } from '../../scripts/pages/site.ts';
import type { Library } from '../../studio/schema.ts';
import { openStudio } from '../../studio/server/open-studio.ts';
import { RequestError } from '../../studio/server/requests.ts';
import { ask } from '../edge/http.ts';
import { openTestBackend } from '../local-backend.ts';
import { putJson } from '../put-json.ts';
import { Client } from './client.ts';

const MIB = 2 ** 20;
const names = layoutEnv('/');
const { SOURCE_BUCKET, WORK_BUCKET, DELIVERY_BUCKET, JOB_QUEUE } = names;
const ORIGIN = 'https://videos.example';
const VERSION = 'fedcba9876543210';

let backend: Backend;
let edge: Edge;
let client: Client;
let workQueued = 0;
let removed: string[] = [];

beforeAll(async () => {
  const opened = await openTestBackend();
  ({ backend } = opened);
  ({ edge, client } = await serve());
  return opened.close;
});

afterAll(async () => {
  await edge.close();
});

beforeEach(() => {
  workQueued = 0;
  removed = [];
});

/** Another studio, as after a restart: it knows only what is in the buckets. */
async function serve(
  store = backend.store,
  onRemoved: (id: string) => Promise<void> = async (id) => void removed.push(id),
): Promise<{ edge: Edge; client: Client } & AsyncDisposable> {
  const served = await startSite({
    store,
    deliveryBucket: DELIVERY_BUCKET,
    port: 0,
    allowedSites: [],
    listAssets: async () => [],
    log: createLog('silent'),
    studio: () =>
      openStudio({
        backend: { ...backend, store },
        names,
        backendName: 'this machine',
        origin: ORIGIN,
        log: createLog('silent'),
        // So long that a change seen sooner was sent because of the action itself.
        pollMilliseconds: 60_000,
        onWork: async () => void (workQueued += 1),
        onRemoved,
      }),
  });
  return {
    edge: served,
    client: await Client.open(served.origin),
    [Symbol.asyncDispose]: () => served.close(),
  };
}

/** Takes all messages from the job queue. */
async function takeMessages() {
  const queue = backend.queue(JOB_QUEUE);
  const messages = await queue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 60 });
  for (const { receipt } of messages) await queue.acknowledge(receipt);
  return messages.map(({ body }) => parseMessage(body));
}

/** Without the marks of deleted jobs and assets. */
async function keysOf(bucket: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of backend.store.list(bucket, '')) keys.push(key);
  return keys.filter((key) => !key.startsWith('deleted/'));
}

async function reject(id: string, fileName: string, code = 'no_video'): Promise<string> {
  const jobId = jobIdOf(id, {});
  const source = { bucket: SOURCE_BUCKET, key: `studio/0123456789abcdef/${fileName}` };
  await putJson(backend.store, WORK_BUCKET, jobKeys(jobId).result, {
    type: 'asset.rejected',
    jobId,
    assetId: id,
    source,
    code,
    reason: 'The file has no picture.',
  });
  return jobId;
}

async function publish(id: string, key: string): Promise<void> {
  const version = VERSION;
  const asset = {
    schema: 1,
    assetId: id,
    version,
    durationSeconds: 6,
    bytes: 1234,
    source: { bucket: SOURCE_BUCKET, key },
    playlist: pointerKey(id),
    thumbnails: [],
    poster: versionKey(id, version, 'images/poster.jpg'),
    renditions: [],
    audio: [],
    skipped: [{ rung: '1080p', reason: 'larger_than_source' }],
    leftOut: [{ stream: 2, what: 'data', codec: 'gpmd', reason: 'not_shown_or_heard' }],
  };
  await putJson(backend.store, DELIVERY_BUCKET, versionKey(id, version, 'asset.json'), asset);
  await backend.store.put(DELIVERY_BUCKET, versionKey(id, version, '360p/00000.ts'), 'segment');
  await backend.store.put(DELIVERY_BUCKET, pointerKey(id), '#EXTM3U', {
    metadata: { version, ...titleMetadata('A & "B"') },
  });
}

describe('Uploads', () => {
  test.each(['#2 4 Protection with PropTypes.mp4', '강의 1강 – 소개.mp4', '100% +a?b&c=d.mov'])(
    'An upload in parts becomes an object and a waiting item: %s',
    async (name) => {
      await takeMessages();
      const bytes = new Uint8Array(randomBytes(9 * MIB));
      const { status, json } = await client.ask('POST', 'uploads', {
        name,
        sizeBytes: bytes.length,
      });
      expect([status, json]).toEqual([
        201,
        {
          key: expect.stringMatching(/^studio\/[0-9a-f]{16}\/./) as unknown,
          uploadId: expect.any(String) as unknown,
          partBytes: 8 * MIB,
        },
      ]);
      const { key, uploadId } = json as { readonly key: string; readonly uploadId: string };
      const first = await client.put({ key, uploadId }, 1, bytes.subarray(0, 8 * MIB));
      const sent = await client.ask('POST', 'uploads/parts', { key, uploadId });
      expect(sent).toMatchObject({
        status: 200,
        json: { parts: [{ partNumber: 1, sizeBytes: 8 * MIB }] },
      });
      const second = await client.put({ key, uploadId }, 2, bytes.subarray(8 * MIB));
      const completed = await client.ask('POST', 'uploads/complete', {
        key,
        uploadId,
        parts: [second, first],
      });
      const { id } = completed.json as { readonly id: string };
      expect(await client.item(id, 'waiting')).toMatchObject({
        fileName: name,
        title: name.replace(/\.\w+$/, ''),
      });
      const stored = await backend.store.get(SOURCE_BUCKET, key);
      expect(stored && (await buffer(stored.body)).equals(bytes)).toBe(true);
      expect(await takeMessages()).toMatchObject([{ type: 'uploads', uploads: [{ key }] }]);
      expect(workQueued).toBe(1);
    },
  );

  test('Completing an upload twice gives the same item', async () => {
    const opened = await client.ask('POST', 'uploads', { name: 'twice.mp4', sizeBytes: 3 });
    const { key, uploadId } = opened.json as { readonly key: string; readonly uploadId: string };
    const parts = [await client.put({ key, uploadId }, 1, new Uint8Array([1, 2, 3]))];
    const one = await client.ask('POST', 'uploads/complete', { key, uploadId, parts });
    expect(await client.ask('POST', 'uploads/complete', { key, uploadId, parts })).toEqual(one);
  });

  test('Two uploads of the same name become two items', async () => {
    const one = await client.upload('intro.mp4', new Uint8Array([1]));
    const other = await client.upload('intro.mp4', new Uint8Array([2]));
    expect(one).not.toBe(other);
    const { items } = await client.library();
    expect(items.filter(({ id }) => [one, other].includes(id))).toHaveLength(2);
  });

  test('An aborted upload leaves nothing behind and is no longer open', async () => {
    const opened = await client.ask('POST', 'uploads', { name: 'off.mp4', sizeBytes: 3 });
    const { key, uploadId } = opened.json as { readonly key: string; readonly uploadId: string };
    await client.put({ key, uploadId }, 1, new Uint8Array([1, 2, 3]));
    expect((await client.ask('POST', 'uploads/abort', { key, uploadId })).status).toBe(204);
    expect(await client.ask('POST', 'uploads/parts', { key, uploadId })).toEqual({
      status: 404,
      json: { error: 'This upload is no longer open. Start it again.' },
    });
    expect(await keysOf(SOURCE_BUCKET)).not.toContain(key);
  });

  test('An upload that is no longer open accepts no part and cannot be completed', async () => {
    const opened = await client.ask('POST', 'uploads', { name: 'late.mp4', sizeBytes: 3 });
    const { key, uploadId } = opened.json as { readonly key: string; readonly uploadId: string };
    const parts = [await client.put({ key, uploadId }, 1, new Uint8Array([1, 2, 3]))];
    await client.ask('POST', 'uploads/abort', { key, uploadId });
    const late = client.put({ key, uploadId }, 2, new Uint8Array([4]));
    await expect(late).rejects.toThrow('This upload is no longer open.');
    const completed = await client.ask('POST', 'uploads/complete', { key, uploadId, parts });
    expect(completed.status).toBe(404);
  });

  test('An invalid request is refused, and the answer names every wrong field', async () => {
    const bad = await client.ask('POST', 'uploads', { name: 'a/b', sizeBytes: 0, extra: 1 });
    expect(bad).toMatchObject({ status: 400 });
    const { error } = bad.json as { readonly error: string };
    expect(error).toContain('name has a slash');
    expect(error).toContain('sizeBytes says that the file is empty');
    expect(error).toContain('extra');
    const elsewhere = { key: 'uploads/other.mp4', uploadId: 'x', partNumber: 1, sizeBytes: 1 };
    expect(await client.ask('POST', 'uploads/sign', elsewhere)).toEqual({
      status: 400,
      json: { error: 'The request is not valid: key is not a key of the studio.' },
    });
    const empty = await client.ask('POST', 'uploads');
    expect(empty).toEqual({ status: 400, json: { error: 'The request is not JSON.' } });
  });

  test('A part is accepted only at the URL that was signed for it', async () => {
    const opened = await client.ask('POST', 'uploads', { name: 'part.mp4', sizeBytes: 3 });
    const { key, uploadId } = opened.json as { readonly key: string; readonly uploadId: string };
    const part = { key, uploadId, partNumber: 1, sizeBytes: 3 };
    const { json } = await client.ask('POST', 'uploads/sign', part);
    const signed = new URL((json as { readonly url: string }).url, edge.origin);
    const refusal = '{"error":"This URL is not valid, or no longer valid."}';
    for (const [name, value] of [
      ['partNumber', '2'],
      ['sizeBytes', '4'],
      ['key', key.replace('part', 'other')],
    ] as const) {
      const url = new URL(signed);
      url.searchParams.set(name, value);
      const other = await fetch(url, { method: 'PUT', body: 'abcd' });
      expect([other.status, await other.text()]).toEqual([403, refusal]);
    }
    const put = async (body: string) => (await fetch(signed, { method: 'PUT', body })).status;
    expect([await put('abcd'), await put('ab'), await put('abc')]).toEqual([413, 400, 200]);
  });

  test('An upload cannot be completed with other parts than those that were sent', async () => {
    const opened = await client.ask('POST', 'uploads', { name: 'wrong.mp4', sizeBytes: 3 });
    const { key, uploadId } = opened.json as { readonly key: string; readonly uploadId: string };
    const sent = await client.put({ key, uploadId }, 1, new Uint8Array([1, 2, 3]));
    const complete = (parts: readonly object[]) =>
      client.ask('POST', 'uploads/complete', { key, uploadId, parts });
    const other = await complete([{ partNumber: 1, etag: 'f'.repeat(32) }]);
    expect(other.status).toBe(400);
    expect((other.json as { readonly error: string }).error).toContain('Part 1 of upload');
    expect((await complete([sent, { ...sent, partNumber: 2 }])).status).toBe(400);
    expect((await complete([sent])).status).toBe(200);
  });
});

describe('The library', () => {
  test('A rejected file is listed with its reason and can be tried again', async () => {
    const id = await client.upload('song.mp4', new Uint8Array(randomBytes(10)));
    const jobId = await reject(id, 'song.mp4');
    expect(await client.item(id, 'rejected')).toMatchObject({
      title: 'song',
      code: 'no_video',
      reason: 'The file has no picture.',
    });
    await takeMessages();
    expect((await client.ask('POST', `items/${id}/retry`)).status).toBe(204);
    await client.item(id, 'waiting');
    expect(await backend.store.head(WORK_BUCKET, jobKeys(jobId).result)).toBeUndefined();
    expect(await takeMessages()).toMatchObject([{ type: 'job', options: {} }]);
    expect(workQueued).toBe(2);
  });

  test('A retry is offered after a failure or a limit, but not if the file itself is the reason', async () => {
    const canRetry = async (code: string) => {
      const id = await client.upload('song.mp4', new Uint8Array(randomBytes(10)));
      await reject(id, 'song.mp4', code);
      return (await client.item<'rejected' | 'failed'>(id, 'rejected')).canRetry;
    };
    expect(await canRetry('unreadable_source')).toBe(false);
    expect(await canRetry('source_too_long')).toBe(true);
    expect(await canRetry('failed')).toBe(true);
    expect(await canRetry('a_code_of_another_version')).toBe(true);
  });

  test('No retry is offered if the uploaded file is gone', async () => {
    const id = await client.upload('leaves.mp4', new Uint8Array(randomBytes(10)));
    await reject(id, 'leaves.mp4', 'source_too_long');
    expect(await client.item(id, 'rejected')).toMatchObject({ canRetry: true });
    for (const key of await keysOf(SOURCE_BUCKET)) {
      if (key.endsWith('/leaves.mp4')) await backend.store.delete(SOURCE_BUCKET, key);
    }
    const gone = await client.library(({ items }) =>
      items.some((item) => item.id === id && item.state === 'rejected' && !item.canRetry),
    );
    expect(gone.items.map((item) => item.id)).toContain(id);
  });

  test('Videos are listed and dated by their upload, not by their publication', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
    try {
      const first = await client.upload('first.mp4', new Uint8Array(randomBytes(10)));
      vi.setSystemTime(Date.UTC(2026, 0, 2));
      const second = await client.upload('second.mp4', new Uint8Array(randomBytes(10)));
      vi.setSystemTime(Date.UTC(2026, 0, 3));
      await publish(first, 'studio/0123456789abcdef/first.mp4');
      await reject(second, 'second.mp4');
      await using later = await serve();
      await later.client.item(first, 'ready');
      const { items } = await later.client.library();
      const both = items.filter(({ id }) => id === first || id === second);
      expect(both.map(({ id, uploadedAt }) => [id, uploadedAt])).toEqual([
        [second, '2026-01-02T00:00:00.000Z'],
        [first, '2026-01-01T00:00:00.000Z'],
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('A job without progress is listed as stalled, and a retry sends its units again', async () => {
    const id = await client.upload('lost.mp4', new Uint8Array(randomBytes(10)));
    const { plan, dispatched } = jobKeys(jobIdOf(id, {}));
    await putJson(backend.store, WORK_BUCKET, plan, {
      assetId: id,
      title: 'lost',
      source: { key: 'lost.mp4' },
      grid: { frames: 250 },
      units: [{ kind: 'video', name: 'video-00000', frames: 250 }],
    });
    await putJson(backend.store, WORK_BUCKET, dispatched, { units: 1 });
    expect(await client.item(id, 'working')).toMatchObject({ stalled: false });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11 * 60_000 });
    try {
      expect(await client.item(id, 'working')).toMatchObject({ percent: 0, stalled: true });
    } finally {
      vi.useRealTimers();
    }
    await takeMessages();
    expect((await client.ask('POST', `items/${id}/retry`)).status).toBe(204);
    expect(await backend.store.head(WORK_BUCKET, dispatched)).toBeUndefined();
    expect(await backend.store.head(WORK_BUCKET, plan)).toBeDefined();
    expect(await takeMessages()).toMatchObject([{ type: 'job', options: {} }]);
  });

  test('A job with an unreadable result is listed as failed, and does not affect the others', async () => {
    const id = await client.upload('old.mp4', new Uint8Array(randomBytes(10)));
    const other = await client.upload('new.mp4', new Uint8Array(randomBytes(10)));
    await putJson(backend.store, WORK_BUCKET, jobKeys(jobIdOf(id, {})).result, { type: 'x' });
    expect(await client.item(id, 'failed')).toMatchObject({
      title: 'old',
      code: 'unreadable',
      reason: expect.stringContaining('result.json') as unknown,
    });
    await client.item(other, 'waiting');
  });

  test('Assets without a source are listed, also one with an unreadable document', async () => {
    const [broken, whole] = ['b'.repeat(20), 'a'.repeat(20)];
    await publish(whole, 'uploads/whole.mp4');
    await publish(broken, 'uploads/broken.mp4');
    const document = versionKey(broken, VERSION, 'asset.json');
    await putJson(backend.store, DELIVERY_BUCKET, document, {});
    await using later = await serve();
    await later.client.item(whole, 'ready');
    expect(await later.client.item(broken, 'failed')).toMatchObject({
      code: 'unreadable',
      reason: expect.stringContaining('asset.json') as unknown,
    });
    expect((await later.client.ask('DELETE', `items/${broken}`)).status).toBe(204);
    expect((await later.client.ask('DELETE', `items/${whole}`)).status).toBe(204);
  });

  test('A job with unreadable evidence is listed as failed', async () => {
    const id = await client.upload('evidence.mp4', new Uint8Array(randomBytes(10)));
    const key = jobKeys(jobIdOf(id, {})).failure('job');
    await putJson(backend.store, WORK_BUCKET, key, {});
    expect(await client.item(id, 'failed')).toMatchObject({ code: 'unreadable' });
  });

  test('A ready video is listed with its facts and its embed code', async () => {
    const { id } = await made('made.mp4');
    const poster = `/v/${id}/${VERSION}/images/poster.jpg`;
    expect(await client.item(id, 'ready')).toMatchObject({
      title: 'A & "B"',
      fileName: 'made.mp4',
      durationSeconds: 6,
      bytes: 1234,
      poster,
      watchPage: `/watch/${id}`,
      playlist: `/v/${id}/index.m3u8`,
      playAddress: `${ORIGIN}/v/${id}/index.m3u8`,
      embedCode: [
        `<script type="module" src="${ORIGIN}/player/vod-player.js"></script>`,
        `<vod-player src="${ORIGIN}/v/${id}/index.m3u8"></vod-player>`,
      ].join('\n'),
      skipped: [{ rung: '1080p', reason: 'larger_than_source' }],
      leftOut: ['Data (gpmd) left out: players can neither show nor play them.'],
    });
    expect(await client.ask('POST', `items/${id}/retry`)).toMatchObject({ status: 409 });
  });

  test('A video stays listed until its deletion has purged the caches', async () => {
    const { id } = await made('cached.mp4');
    await using busy = await serve(backend.store, () => {
      throw new RequestError(503, 'The caches are busy.');
    });
    expect(await busy.client.ask('DELETE', `items/${id}`)).toMatchObject({ status: 503 });
    expect((await keysOf(DELIVERY_BUCKET)).filter((key) => key.includes(id))).toEqual([]);
    expect((await busy.client.library()).items.map((item) => item.id)).toContain(id);
    expect(await client.ask('DELETE', `items/${id}`)).toMatchObject({ status: 204 });
    expect(removed).toEqual([id]);
    expect((await client.library()).items.map((item) => item.id)).not.toContain(id);
  });

  test('A new title appears in the library', async () => {
    const { id } = await made('titled.mp4');
    await client.item(id, 'ready');
    const title = { title: ' 강의 "1" ' };
    expect(await client.ask('POST', `items/${id}/title`, title)).toMatchObject({ status: 204 });
    const named = ({ items }: Library) => items.some((one) => one.title === '강의 "1"');
    expect((await client.library(named)).items.find((one) => one.id === id)).toMatchObject({
      state: 'ready',
    });
    expect(await client.ask('POST', `items/${id}/title`, { title: ' ' })).toEqual({
      status: 400,
      json: { error: 'The title is empty.' },
    });
    const waiting = await client.upload('waiting.mp4', new Uint8Array(randomBytes(10)));
    expect(await client.ask('POST', `items/${waiting}/title`, title)).toMatchObject({
      status: 409,
    });
  });

  test('A deletion removes everything that belongs to the asset, and nothing else', async () => {
    const { id, jobId } = await made('gone.mp4');
    await made('stays.mp4');
    await client.item(id, 'ready');
    const before = {
      source: await keysOf(SOURCE_BUCKET),
      work: await keysOf(WORK_BUCKET),
      delivery: await keysOf(DELIVERY_BUCKET),
    };
    const play = () => ask(`${edge.origin}/${pointerKey(id)}`, { origin: edge.origin });
    expect((await play()).status).toBe(200);
    expect((await client.ask('DELETE', `items/${id}`)).status).toBe(204);
    expect((await client.library()).items.map((item) => item.id)).not.toContain(id);
    expect(removed).toEqual([id]);
    expect((await play()).status).toBe(403);
    expect({
      source: await keysOf(SOURCE_BUCKET),
      work: await keysOf(WORK_BUCKET),
      delivery: await keysOf(DELIVERY_BUCKET),
    }).toEqual({
      source: before.source.filter((key) => !key.endsWith('/gone.mp4')),
      work: before.work.filter((key) => !key.includes(jobId)),
      delivery: before.delivery.filter((key) => !key.includes(id)),
    });
    expect(await client.ask('DELETE', `items/${id}`)).toEqual({
      status: 404,
      json: { error: 'This video no longer exists.' },
    });
  });

  test('A deletion can be repeated after an interruption at any step', async () => {
    for (let steps = 0, whole = false; !whole; steps += 1) {
      const { id, jobId } = await made('cut.mp4');
      let left = steps;
      const step = () => {
        left -= 1;
        if (left < 0) throw new Error('The power is out.');
      };
      const store: ObjectStore = {
        ...backend.store,
        delete: async (...object) => {
          step();
          await backend.store.delete(...object);
        },
      };
      await using dying = await serve(store, async () => step());
      whole = (await dying.client.ask('DELETE', `items/${id}`)).status === 204;
      await using later = await serve();
      const again = await later.client.ask('DELETE', `items/${id}`);
      expect([steps, again.status]).toEqual([steps, whole ? 404 : 204]);
      expect((await keysOf(SOURCE_BUCKET)).filter((key) => key.endsWith('/cut.mp4'))).toEqual([]);
      expect((await keysOf(WORK_BUCKET)).filter((key) => key.includes(jobId))).toEqual([]);
      expect((await keysOf(DELIVERY_BUCKET)).filter((key) => key.includes(id))).toEqual([]);
    }
  });

  test('A video that another process has deleted disappears from the library', async () => {
    const { id } = await made('theirs.mp4');
    await client.item(id, 'ready');
    await using other = await serve();
    expect((await other.client.ask('DELETE', `items/${id}`)).status).toBe(204);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60 * 60_000 });
    try {
      // Reads do not wait for the scan of the delivery bucket.
      const known = async () => (await client.library()).items.some((item) => item.id === id);
      await expect.poll(known).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });
});

/** Uploads a file and publishes an asset of it. */
async function made(fileName: string): Promise<{ id: string; jobId: string }> {
  const id = await client.upload(fileName, new Uint8Array(randomBytes(10)));
  const jobId = jobIdOf(id, {});
  await publish(id, `studio/0123456789abcdef/${fileName}`);
  await putJson(backend.store, WORK_BUCKET, jobKeys(jobId).result, await resultOf(id, jobId));
  return { id, jobId };
}

async function resultOf(id: string, jobId: string): Promise<object> {
  const key = versionKey(id, VERSION, 'asset.json');
  const found = await backend.store.get(DELIVERY_BUCKET, key);
  if (!found) throw new Error(`${key} is not there.`);
  const asset = JSON.parse((await buffer(found.body)).toString('utf8')) as object;
  return { type: 'asset.ready', jobId, title: 'A & "B"', spentSeconds: 1, ...asset };
}

describe('Pages of other sites', () => {
  test.each([
    ['without the token', { 'x-studio-token': '' }],
    ['with another token', { 'x-studio-token': 'a'.repeat(32) }],
    ['from another site', { 'sec-fetch-site': 'cross-site' }],
    ['from another port of this machine', { 'sec-fetch-site': 'same-site' }],
  ])('A page of another site cannot change anything: %s', async (_about, headers) => {
    const id = await client.upload('kept.mp4', new Uint8Array(randomBytes(10)));
    const refused = await client.ask('DELETE', `items/${id}`, undefined, headers);
    expect(refused.status).toBe(403);
    await client.item(id, 'waiting');
  });

  test('A page of another site can neither read nor frame the studio', async () => {
    const url = `${edge.origin}/studio/api/events`;
    const read = await fetch(url, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect(read.status).toBe(403);
    const { headers } = await fetch(`${edge.origin}/studio/`);
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});
