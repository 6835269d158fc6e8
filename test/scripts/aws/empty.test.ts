import { CreateRepositoryCommand, ECRClient, ListImagesCommand } from '@aws-sdk/client-ecr';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stage } from '../../../infra/config.ts';
import { nameOf, tagsOf } from '../../../infra/names.ts';
import { bucketsOf, emptyBucket, emptyRepository } from '../../../scripts/aws/empty.ts';
import { describeWithEmulator, useEmulator } from '../../aws/emulator.ts';
import { pushByHand } from '../../deploy/image.ts';

const own = { region: 'eu-central-1', allowedSites: ['https://site.example'] };

describeWithEmulator('Teardown', () => {
  useEmulator();
  let s3: S3Client;

  beforeAll(() => {
    s3 = new S3Client({ forcePathStyle: true });
  });

  afterAll(() => s3.destroy());

  async function bucket(Bucket: string, tags: Readonly<Record<string, string>> = {}) {
    const CreateBucketConfiguration = { LocationConstraint: 'eu-central-1' as const };
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
    const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    if (TagSet.length === 0) return;
    await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
  }

  test("Teardown empties a stage's own buckets, and neither existing ones nor its state's", async () => {
    await bucket('vodstack-dev-source-1', tagsOf('dev'));
    await bucket('vodstack-dev-old', tagsOf('dev'));
    await bucket('vodstack-dev-state', tagsOf('dev'));
    await bucket('vodstack-dev-of-somebody');
    await bucket('vodstack-dev-of-another', { ...tagsOf('dev'), stage: 'other' });
    await bucket('vodstack-dev2-source-1', tagsOf('dev2'));
    await bucket('tagged-alike', tagsOf('dev'));
    const config = stage({
      ...{ ...own, name: 'dev', state: { bucket: 'vodstack-dev-state' } },
      existingBuckets: { source: 'vodstack-dev-old' },
    });
    expect(await bucketsOf(s3, config)).toEqual(['vodstack-dev-source-1']);
  });

  test('Emptying a bucket deletes versions, delete markers and unfinished uploads, 1000 at a time', async () => {
    const Bucket = 'many';
    await bucket(Bucket);
    const VersioningConfiguration = { Status: 'Enabled' as const };
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const keys = ['a+b %20 100%.mp4', '강의 1강.mp4', '#2 & <3> "4".mp4'];
    const put = (_: unknown, number: number) =>
      s3.send(new PutObjectCommand({ Bucket, Key: `v/${number}`, Body: 'x' }));
    await Promise.all(Array.from({ length: 1040 }, put));
    for (const Key of keys) {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'one' }));
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'two' }));
      await s3.send(new DeleteObjectCommand({ Bucket, Key }));
      await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    }
    const told: number[] = [];
    const { signal } = new AbortController();
    await emptyBucket(s3, Bucket, (count) => told.push(count), signal);
    expect(told).toEqual([3, 1003, 1052]);
    // S3 refuses this while anything is in the bucket.
    await s3.send(new DeleteBucketCommand({ Bucket }));
  });

  test('Emptying a bucket stops between two requests', async () => {
    await bucket('stopped');
    await s3.send(new PutObjectCommand({ Bucket: 'stopped', Key: 'a', Body: 'x' }));
    const stop = AbortSignal.abort(new Error('It was stopped.'));
    await expect(emptyBucket(s3, 'stopped', () => undefined, stop)).rejects.toThrow(
      'It was stopped.',
    );
  });

  test('Emptying a repository deletes its images, and ignores a missing repository', async () => {
    const ecr = new ECRClient();
    const repositoryName = nameOf('dev', 'worker');
    await ecr.send(new CreateRepositoryCommand({ repositoryName }));
    await pushByHand('dev');
    await emptyRepository(ecr, 'dev');
    const { imageIds } = await ecr.send(new ListImagesCommand({ repositoryName }));
    expect(imageIds).toEqual([]);
    await emptyRepository(ecr, 'nowhere');
    ecr.destroy();
  });
});
