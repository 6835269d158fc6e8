import {
  BatchDeleteImageCommand,
  paginateListImages,
  RepositoryNotFoundException,
} from '@aws-sdk/client-ecr';
import type { ECRClient, ImageFailure } from '@aws-sdk/client-ecr';
import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  GetBucketTaggingCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  paginateListBuckets,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { keptBuckets } from '../../infra/config.ts';
import type { StageConfig } from '../../infra/config.ts';
import { nameOf, RESOURCES, tagsOf } from '../../infra/names.ts';

/**
 * Lists the buckets that were created for a stage, by name and tags. It leaves out existing buckets that the stage uses and
 * the bucket that keeps its state, whatever their names.
 */
export async function bucketsOf(s3: S3Client, config: StageConfig): Promise<readonly string[]> {
  const { name } = config;
  const kept = keptBuckets(config);
  const ours: string[] = [];
  const pages = paginateListBuckets({ client: s3 }, { Prefix: nameOf(name, ''), MaxBuckets: 1000 });
  for await (const { Buckets = [] } of pages) {
    for (const { Name } of Buckets) {
      if (Name === undefined || kept.includes(Name)) continue;
      const tags = await tagsOfBucket(s3, Name);
      const isOurs = Object.entries(tagsOf(name)).every(([key, value]) => tags.get(key) === value);
      if (isOurs) ours.push(Name);
    }
  }
  return ours;
}

async function tagsOfBucket(s3: S3Client, bucket: string): Promise<ReadonlyMap<string, string>> {
  try {
    const { TagSet = [] } = await s3.send(new GetBucketTaggingCommand({ Bucket: bucket }));
    return new Map(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]));
  } catch (error) {
    if (error instanceof S3ServiceException && error.name === 'NoSuchTagSet') return new Map();
    throw error;
  }
}

/**
 * Deletes everything in a bucket: versions, delete markers and incomplete multipart uploads. `onProgress` gets the number
 * deleted so far. Throws Error naming an object that S3 did not delete.
 */
export async function emptyBucket(
  s3: S3Client,
  bucket: string,
  onProgress: (deleted: number) => void,
  stop: AbortSignal,
): Promise<void> {
  let deleted = 0;
  const input = { Bucket: bucket };
  // Deleted uploads leave the list, so each request gets the first page, of at most 1000.
  for (;;) {
    stop.throwIfAborted();
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand(input));
    if (Uploads.length === 0) break;
    for (const { Key, UploadId } of Uploads)
      await s3.send(new AbortMultipartUploadCommand({ ...input, Key, UploadId }));
    onProgress((deleted += Uploads.length));
  }
  let last: string | undefined;
  for (;;) {
    stop.throwIfAborted();
    const page = await s3.send(new ListObjectVersionsCommand(input));
    const Objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(
      ({ Key, VersionId }) => ({ Key, VersionId }),
    );
    const [first] = Objects;
    if (!first) return;
    if (JSON.stringify(first) === last)
      throw new Error(`${bucket}: ${last} is there again, each time it is deleted.`);
    last = JSON.stringify(first);
    const { Errors = [] } = await s3.send(
      new DeleteObjectsCommand({ ...input, Delete: { Objects, Quiet: true } }),
    );
    const [wrong] = Errors;
    if (wrong)
      throw new Error(
        `${Errors.length} objects of ${bucket} were not deleted, the first of them ` +
          `${JSON.stringify(wrong.Key)}: ${wrong.Message ?? wrong.Code ?? 'S3 does not say why'}`,
      );
    onProgress((deleted += Objects.length));
  }
}

/** Deletes every image in a stage's repository, if it exists. */
export async function emptyRepository(ecr: ECRClient, stage: string): Promise<void> {
  const repositoryName = nameOf(stage, RESOURCES.worker);
  for (;;) {
    const digests = await digestsIn(ecr, repositoryName);
    if (digests.length === 0) return;
    let deleted = 0;
    let failed: ImageFailure | undefined;
    // At most 100 a call. A manifest list must be deleted before the images that it names, which takes another round.
    for (let first = 0; first < digests.length; first += 100) {
      const imageIds = digests.slice(first, first + 100).map((imageDigest) => ({ imageDigest }));
      const answer = await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds }));
      deleted += answer.imageIds?.length ?? 0;
      failed ??= answer.failures?.[0];
    }
    if (deleted === 0)
      throw new Error(`An image of ${repositoryName} was not deleted: ${failed?.failureReason}`);
  }
}

async function digestsIn(ecr: ECRClient, repositoryName: string): Promise<readonly string[]> {
  const digests = new Set<string>();
  try {
    for await (const { imageIds = [] } of paginateListImages({ client: ecr }, { repositoryName })) {
      for (const { imageDigest } of imageIds) if (imageDigest) digests.add(imageDigest);
    }
  } catch (error) {
    if (!(error instanceof RepositoryNotFoundException)) throw error;
  }
  return [...digests];
}
