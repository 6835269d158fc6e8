import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PreconditionFailedError } from '../../../worker/io/ports.ts';
import type { ObjectStore } from '../../../worker/io/ports.ts';
import { upload } from '../../../worker/io/upload.ts';
import { parseMessage } from '../../../worker/plan/message.ts';
import type { ContractHome, Subject } from './home.ts';

const MIB = 2 ** 20;

export function describeUploads({ open, largeMib }: Subject): void {
  describe('Uploads', () => {
    let home: ContractHome;
    let store: ObjectStore;
    beforeAll(async () => {
      home = await open();
      ({ store } = home.home);
    });
    afterAll(() => home.close());

    /** So many bytes, made as they are read. */
    function bytes(count: number) {
      const digest = createHash('sha256');
      const block = Buffer.alloc(MIB, 'vodstack ');
      function* blocks() {
        for (let left = count; left > 0; left -= MIB) {
          const part = block.subarray(0, Math.min(MIB, left));
          part[0] = left % 251;
          digest.update(part);
          yield Buffer.from(part);
        }
      }
      return { body: Readable.from(blocks()), digest };
    }

    async function digestOf(bucket: string, key: string): Promise<string> {
      const found = await store.get(bucket, key);
      const digest = createHash('sha256');
      for await (const chunk of found?.body ?? []) digest.update(chunk as Buffer);
      return digest.digest('hex');
    }

    // Slow: writes and reads a gibibyte where the home can bear it.
    test(`of ${largeMib} MiB are streamed through a bounded memory.`, async () => {
      const bucket = home.buckets.plain;
      const before = process.memoryUsage.rss();
      let most = 0;
      let sent = 0;
      const { body, digest } = bytes(largeMib * MIB);
      await upload({
        ...{ store, bucket, key: 'large', body },
        onProgress: (count) => {
          sent = count;
          most = Math.max(most, process.memoryUsage.rss());
        },
      });
      expect(sent).toBe(largeMib * MIB);
      expect(await store.head(bucket, 'large')).toMatchObject({ sizeBytes: largeMib * MIB });
      expect(await digestOf(bucket, 'large')).toBe(digest.digest('hex'));
      // Five parts of 8 MiB and what the collector has not come to.
      expect((most - before) / MIB).toBeLessThan(300);
      await store.delete(bucket, 'large');
    });

    test.each([0, 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 20 * MIB])(
      'of %i bytes arrive whole.',
      async (count) => {
        const bucket = home.buckets.plain;
        const { body, digest } = bytes(count);
        await upload({ store, bucket, key: 'sized', body });
        expect((await store.head(bucket, 'sized'))?.sizeBytes).toBe(count);
        expect(await digestOf(bucket, 'sized')).toBe(digest.digest('hex'));
      },
    );

    test('whose source fails leave nothing behind.', async () => {
      const bucket = home.buckets.plain;
      function* failing() {
        yield Buffer.alloc(20 * MIB);
        throw new Error('The file was taken away.');
      }
      const body = Readable.from(failing());
      await expect(upload({ store, bucket, key: 'broken', body })).rejects.toThrow('taken away');
      expect(await store.head(bucket, 'broken')).toBeUndefined();
    });

    test('that were aborted cannot be completed, and may be aborted again.', async () => {
      const bucket = home.buckets.plain;
      const id = await store.createUpload(bucket, 'aborted');
      const part = await store.uploadPart(bucket, 'aborted', id, 1, Buffer.from('x'));
      await store.abortUpload(bucket, 'aborted', id);
      await store.abortUpload(bucket, 'aborted', id);
      await expect(store.completeUpload(bucket, 'aborted', id, [part])).rejects.toThrow();
      expect(await store.head(bucket, 'aborted')).toBeUndefined();
    });

    test('are completed under a condition, or not at all.', async () => {
      const bucket = home.buckets.plain;
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

    test('are told of in the way of S3, at once or in parts, whatever the key.', async () => {
      const bucket = home.buckets.watched;
      const queue = home.home.queue(home.queues.uploads);
      const keys = ['#2 4 Protection with PropTypes.mp4', '강의/100% +a.mp4'];
      await upload({ store, bucket, key: keys[0] ?? '', body: bytes(10).body });
      await upload({ store, bucket, key: keys[1] ?? '', body: bytes(9 * MIB).body });
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
