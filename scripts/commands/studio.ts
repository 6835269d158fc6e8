import { once } from 'node:events';
import { S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { runCommand, unlessStopped } from '../cli/command.ts';
import { print, say } from '../cli/terminal.ts';
import { startSite } from '../pages/site.ts';
import { listAssets } from '../pages/listed-assets.ts';
import type { PartRequest } from '../../studio/schema.ts';
import { openStudio } from '../../studio/server/open-studio.ts';
import { needsPathStyle } from '../../core/storage/aws/backend.ts';
import { createLog } from '../../core/log.ts';
import { invalidateAsset } from '../aws/invalidation.ts';
import { STUDIO_HELP, readStudioOptions } from './stage-options.ts';
import { openStage, readDistribution } from '../aws/stage.ts';

/** A look is some twenty requests, a cent for each half an hour that a page is open. */
const POLL_MILLISECONDS = 2000;
/** A part is signed when its turn comes, and can take long on a slow line. */
const SIGNED_SECONDS = 3600;

await runCommand({
  name: './scripts/studio',
  help: STUDIO_HELP,
  stopping: 'Stopping; uploads that are open can be gone on with.',
  read: readStudioOptions,
  run: async ({ stage: name, port }, stop) => {
    const stage = await unlessStopped(openStage(name), stop);
    const { backend, env: names, origin, workers } = stage;
    const { region, playbackTokens: tokens } = stage.config;
    const distribution = await readDistribution(stage);
    const log = createLog('warn');
    const s3 = new S3Client({
      region,
      forcePathStyle: needsPathStyle(),
      // A browser sends no checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    const sign = (part: PartRequest) => signPart(s3, names.SOURCE_BUCKET, part);
    const { origin: bucketOrigin } = new URL(
      await sign({ key: 'a', uploadId: 'a', partNumber: 1, sizeBytes: 1 }),
    );
    const edge = await startSite({
      ...{ store: backend.store, deliveryBucket: names.DELIVERY_BUCKET, port, log },
      allowedSites: [],
      listAssets: () => listAssets({ store: backend.store, config: names }),
      studio: () =>
        openStudio({
          ...{ backend, names, backendName: name, origin, tokens, log },
          pollMilliseconds: POLL_MILLISECONDS,
          parts: { origin: bucketOrigin, sign },
          // Scaling starts a worker too, later.
          onWork: () =>
            workers.wake().catch((error: unknown) => {
              log.warn({ event: 'workers.asleep', err: error });
            }),
          onRemoved: async (assetId) => {
            await invalidateAsset(distribution, assetId);
          },
        }),
    });
    try {
      print(`${edge.origin}/studio/\n`);
      say(`That is the studio of stage ${name}. Press Ctrl-C to stop.`);
      if (!stop.aborted) await once(stop, 'abort');
      return 0;
    } finally {
      await edge.close();
      s3.destroy();
      await stage.close();
    }
  },
});

/** An address of S3 that takes this part, and nothing else, from a browser. */
function signPart(
  client: S3Client,
  bucket: string,
  { key, uploadId, partNumber }: PartRequest,
): Promise<string> {
  const part = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumber: partNumber };
  return getSignedUrl(client, new UploadPartCommand(part), { expiresIn: SIGNED_SECONDS });
}
