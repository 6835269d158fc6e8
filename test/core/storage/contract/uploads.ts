import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseMessage } from '../../../../core/model/message.ts';
import {
  PreconditionFailedError,
  UploadGoneError,
  WrongPartsError,
} from '../../../../core/storage/ports.ts';
import type { ObjectStore } from '../../../../core/storage/ports.ts';
import { uploadFile } from '../../../../core/storage/upload.ts';
import type { ContractBackend, Subject } from './backend.ts';

const MIB = 2 ** 20;

export function describeUploads({ open: openBackend, largeMib }: Subject): void {
  describe('Uploads', () => {
    let backend: ContractBackend;
    let store: ObjectStore;
    let directory: string;
    beforeAll(async () => {
      backend = await openBackend();
      ({ store } = backend.backend);
      directory = await mkdtemp(join(tmpdir(), 'vodstack-uploads-'));
    });
    afterAll(async () => {
      await backend.close();
      await rm(directory, { recursive: true });
    });

    /** Makes a file in which no MiB equals another. Returns its digest, too. */
    async function fileOf(count: number, name = 'file') {
      const path = join(directory, name);
      const digest = createHash('sha256');
      const file = await open(path, 'w');
      const block = Buffer.alloc(MIB, 'vodstack ');
      for (let left = count; left > 0; left -= MIB) {
        block.writeUInt32LE(left % 2 ** 32);
        const part = block.subarray(0, Math.min(MIB, left));
        digest.update(part);
        await file.write(part);
      }
      await file.close();
      return { path, digest };
    }

    /** The store, which records the numbers of the parts that it receives. */
    function counting(sent: number[]): ObjectStore {
      return {
        ...store,
        uploadPart: (bucket, key, uploadId, partNumber, body) => {
          sent.push(partNumber);
          return store.uploadPart(bucket, key, uploadId, partNumber, body);
        },
      };
    }

    /** Begins an upload, and interrupts it at half of the parts. Returns the numbers of the stored parts. */
    async function cutOff(bucket: string, key: string, file: string): Promise<readonly number[]> {
      const stop = new AbortController();
      const upload = uploadFile({
        ...{ store, bucket, key, file, signal: stop.signal },
        onProgress: (_step, done) => done >= 0.5 && stop.abort(new Error('cut off')),
      });
      await expect(upload).rejects.toThrow('cut off');
      const [uploadId = ''] = await store.openUploads(bucket, key);
      const parts = await store.storedParts(bucket, key, uploadId);
      return parts.map(({ partNumber }) => partNumber);
    }

    async function digestOf(bucket: string, key: string): Promise<string> {
      const found = await store.get(bucket, key);
      const digest = createHash('sha256');
      for await (const chunk of found?.body ?? []) digest.update(chunk as Buffer);
      return digest.digest('hex');
    }

    // Slow: writes and reads a gibibyte if the backend can hold it.
    test(`An upload of ${largeMib} MiB uses bounded memory`, async () => {
      const bucket = backend.buckets.plain;
      const before = process.memoryUsage.rss();
      let most = 0;
      let last: unknown;
      const { path: file, digest } = await fileOf(largeMib * MIB);
      await uploadFile({
        ...{ store, bucket, key: 'large', file },
        onProgress: (step, done) => {
          last = [step, done];
          most = Math.max(most, process.memoryUsage.rss());
        },
      });
      expect(last).toEqual(['uploading', 1]);
      expect(await store.head(bucket, 'large')).toMatchObject({ sizeBytes: largeMib * MIB });
      expect(await digestOf(bucket, 'large')).toBe(digest.digest('hex'));
      // Four parts of 8 MiB, and garbage that has not been collected.
      expect((most - before) / MIB).toBeLessThan(300);
      await store.delete(bucket, 'large');
    });

    test.each([0, 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 20 * MIB])(
      'An upload of %i bytes arrives whole',
      async (count) => {
        const bucket = backend.buckets.plain;
        const { path: file, digest } = await fileOf(count);
        await uploadFile({ store, bucket, key: 'sized', file });
        expect((await store.head(bucket, 'sized'))?.sizeBytes).toBe(count);
        expect(await digestOf(bucket, 'sized')).toBe(digest.digest('hex'));
      },
    );

    test('An interrupted upload continues, and sends only the missing parts', async () => {
      const bucket = backend.buckets.plain;
      const { path: file, digest } = await fileOf(90 * MIB);
      const arrived = await cutOff(bucket, 'cut off', file);
      expect(arrived.length).toBeGreaterThanOrEqual(6);
      expect(arrived.length).toBeLessThan(12);
      const sent: number[] = [];
      const steps = new Set<string>();
      await uploadFile({
        ...{ store: counting(sent), bucket, key: 'cut off', file },
        onProgress: (step, done) => steps.add(`${step} ${done >= 0.5 ? 'the rest' : 'all'}`),
      });
      const all = Array.from({ length: 12 }, (_, index) => index + 1);
      expect(sent.toSorted((a, b) => a - b)).toEqual(all.filter((one) => !arrived.includes(one)));
      expect(steps).toContain('uploading the rest');
      expect(steps).not.toContain('uploading all');
      expect(await digestOf(bucket, 'cut off')).toBe(digest.digest('hex'));
      expect(await store.openUploads(bucket, 'cut off')).toEqual([]);
    });

    test('An interrupted upload of a changed file sends the changed parts', async () => {
      const bucket = backend.buckets.plain;
      const { path: file } = await fileOf(90 * MIB);
      const arrived = await cutOff(bucket, 'changed', file);
      const changed = arrived.at(-1) ?? 0;
      const handle = await open(file, 'r+');
      await handle.write('other', (changed - 1) * 8 * MIB);
      await handle.close();
      const sent: number[] = [];
      await uploadFile({ store: counting(sent), bucket, key: 'changed', file });
      expect(sent).toContain(changed);
      expect(sent).not.toContain(arrived[0]);
      const digest = createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
      expect(await digestOf(bucket, 'changed')).toBe(digest);
    });

    test('An upload of another file with the same name leaves an open upload alone', async () => {
      const bucket = backend.buckets.plain;
      const [mine, other] = [await fileOf(90 * MIB, 'mine'), await fileOf(91 * MIB, 'other')];
      const arrived = await cutOff(bucket, 'same', mine.path);
      const [begun = ''] = await store.openUploads(bucket, 'same');
      await uploadFile({ store, bucket, key: 'same', file: other.path });
      expect(await digestOf(bucket, 'same')).toBe(other.digest.digest('hex'));
      expect(await store.storedParts(bucket, 'same', begun)).toHaveLength(arrived.length);
    });

    test('An upload of a file that changes meanwhile fails, and makes no object', async () => {
      const bucket = backend.buckets.plain;
      const { path: file } = await fileOf(20 * MIB);
      const upload = uploadFile({
        ...{ store, bucket, key: 'growing', file },
        onProgress: () => appendFileSync(file, 'more'),
      });
      await expect(upload).rejects.toThrow('changed while it was being uploaded');
      expect(await store.head(bucket, 'growing')).toBeUndefined();
    });

    test('Open uploads are listed by their whole key only', async () => {
      const bucket = backend.buckets.plain;
      const keys = ['#2 4 강의 & <x>+%.mp4', '#2 4 강의 & <x>+%.mp4.part'];
      const ids = [];
      for (const key of keys) ids.push(await store.createUpload(bucket, key));
      expect(await store.openUploads(bucket, keys[0] ?? '')).toEqual([ids[0]]);
      expect(await store.storedParts(bucket, keys[0] ?? '', ids[0] ?? '')).toEqual([]);
    });

    test('An upload is not completed with parts that were not sent', async () => {
      const bucket = backend.buckets.plain;
      const id = await store.createUpload(bucket, 'wrong');
      const small = [
        await store.uploadPart(bucket, 'wrong', id, 1, Buffer.from('a')),
        await store.uploadPart(bucket, 'wrong', id, 2, Buffer.from('b')),
      ];
      const other = { partNumber: 1, etag: createHash('md5').update('other').digest('hex') };
      for (const parts of [small, small.toReversed(), [other]]) {
        const completed = store.completeUpload(bucket, 'wrong', id, parts);
        await expect(completed).rejects.toThrow(WrongPartsError);
      }
      expect(await store.head(bucket, 'wrong')).toBeUndefined();
      await store.abortUpload(bucket, 'wrong', id);
    });

    test('An aborted upload is gone, and can be aborted again', async () => {
      const bucket = backend.buckets.plain;
      const id = await store.createUpload(bucket, 'aborted');
      const part = await store.uploadPart(bucket, 'aborted', id, 1, Buffer.from('x'));
      await store.abortUpload(bucket, 'aborted', id);
      await store.abortUpload(bucket, 'aborted', id);
      await expect(store.completeUpload(bucket, 'aborted', id, [part])).rejects.toThrow();
      await expect(store.storedParts(bucket, 'aborted', id)).rejects.toThrow(UploadGoneError);
      expect(await store.head(bucket, 'aborted')).toBeUndefined();
    });

    test('An upload whose condition does not hold is not completed', async () => {
      const bucket = backend.buckets.plain;
      const begin = async () => {
        const id = await store.createUpload(bucket, 'conditional');
        return { id, part: await store.uploadPart(bucket, 'conditional', id, 1, Buffer.from('x')) };
      };
      const [first, second] = [await begin(), await begin()];
      const unwritten = { ifNoneMatch: '*' } as const;
      const complete = ({ id, part }: typeof first) =>
        store.completeUpload(bucket, 'conditional', id, [part], unwritten);
      const { etag } = await complete(first);
      await expect(complete(second)).rejects.toThrow(PreconditionFailedError);
      expect((await store.head(bucket, 'conditional'))?.etag).toBe(etag);
      await store.abortUpload(bucket, 'conditional', second.id);
    });

    test('Uploads of any key, whole or in parts, are reported by events like those of S3', async () => {
      const bucket = backend.buckets.watched;
      const queue = backend.backend.queue(backend.queues.uploads);
      const keys = ['#2 4 Protection with PropTypes.mp4', '강의/100% +a.mp4'];
      const [small, large] = [await fileOf(10, 'small'), await fileOf(9 * MIB, 'large')];
      await uploadFile({ store, bucket, key: keys[0] ?? '', file: small.path });
      await uploadFile({ store, bucket, key: keys[1] ?? '', file: large.path });
      const told = new Set<string>();
      while (told.size < 2) {
        const messages = await queue.receive({ max: 10, waitSeconds: 20, visibilitySeconds: 30 });
        expect(messages).not.toHaveLength(0);
        for (const { body, receipt } of messages) {
          const message = parseMessage(body);
          await queue.acknowledge(receipt);
          if (message.type !== 'uploads') continue;
          for (const source of message.uploads) {
            const info = await store.head(source.bucket, source.key);
            expect(source).toMatchObject({ bucket, etag: info?.etag });
            told.add(source.key);
          }
        }
      }
      expect([...told].sort()).toEqual([...keys].sort());
    });
  });
}
