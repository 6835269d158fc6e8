import { createHash } from 'node:crypto';
import { HeadObjectCommand, PutObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';

/** The path below the stage's origin from which pages load the player. */
export const PLAYER_KEY = 'player/vod-player.js';

const HEADERS = {
  ContentType: 'text/javascript; charset=utf-8',
  // Open pages keep their player; new pages get the new one within minutes.
  CacheControl: 'public, max-age=300',
} as const;

/** Whether the bucket holds this player with these headers. */
export async function isPublished(
  s3: S3Client,
  bucket: string,
  player: Uint8Array,
): Promise<boolean> {
  try {
    const found = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: PLAYER_KEY }));
    return (
      // The ETag would not do: in a bucket with KMS it is no MD5.
      found.Metadata?.['sha256'] === sha256(player) &&
      found.ContentType === HEADERS.ContentType &&
      found.CacheControl === HEADERS.CacheControl
    );
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return false;
    throw error;
  }
}

/** Uploads the player beside the videos, replacing the previous one. */
export async function publishPlayer(
  s3: S3Client,
  bucket: string,
  player: Uint8Array,
): Promise<void> {
  const Metadata = { sha256: sha256(player) };
  const object = { Bucket: bucket, Key: PLAYER_KEY, Body: player, ...HEADERS, Metadata };
  await s3.send(new PutObjectCommand(object));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
