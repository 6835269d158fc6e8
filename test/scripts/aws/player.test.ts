import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPlayer } from '../../../player/build.ts';
import { isPublished, PLAYER_KEY, publishPlayer } from '../../../scripts/aws/player.ts';
import { describeWithEmulator, useEmulator } from '../../aws/emulator.ts';

const Bucket = 'delivery';

describeWithEmulator('The player in the delivery bucket', () => {
  useEmulator();
  let s3: S3Client;
  let player: Uint8Array;

  beforeAll(async () => {
    s3 = new S3Client({ forcePathStyle: true });
    const CreateBucketConfiguration = { LocationConstraint: 'eu-central-1' as const };
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
    player = await buildPlayer();
  });

  afterAll(() => s3.destroy());

  test('Publishing puts the player into the bucket with the headers that pages need', async () => {
    expect(await isPublished(s3, Bucket, player)).toBe(false);
    await publishPlayer(s3, Bucket, player);
    const object = await s3.send(new GetObjectCommand({ Bucket, Key: 'player/vod-player.js' }));
    expect(object.ContentType).toBe('text/javascript; charset=utf-8');
    expect(object.CacheControl).toBe('public, max-age=300');
    expect(await object.Body?.transformToByteArray()).toEqual(player);
  });

  test('A published player is recognized', async () => {
    expect(await isPublished(s3, Bucket, await buildPlayer())).toBe(true);
  });

  test('A player with another byte or header does not count as published', async () => {
    expect(await isPublished(s3, Bucket, Buffer.from('another'))).toBe(false);
    const { Metadata } = await s3.send(new HeadObjectCommand({ Bucket, Key: PLAYER_KEY }));
    await s3.send(new PutObjectCommand({ Bucket, Key: PLAYER_KEY, Body: player, Metadata }));
    expect(await isPublished(s3, Bucket, player)).toBe(false);
  });

  test('Publishing to a missing bucket fails', async () => {
    await expect(publishPlayer(s3, 'nowhere', player)).rejects.toThrow(/bucket/i);
  });
});
