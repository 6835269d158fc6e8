import { once } from 'node:events';
import { S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { createLog } from '../../core/log.ts';
import { needsPathStyle } from '../../core/storage/aws/backend.ts';
import type { PartRequest } from '../../studio/schema.ts';
import { openStudio } from '../../studio/server/open-studio.ts';
import { invalidateAsset } from '../aws/invalidation.ts';
import { openStage, readDistribution } from '../aws/stage.ts';
import { scriptCommand } from '../cli/arguments.ts';
import { subcommand, unlessStopped } from '../cli/command.ts';
import { print, say } from '../cli/terminal.ts';
import { listAssets } from '../pages/listed-assets.ts';
import { startSite } from '../pages/site.ts';

/** One poll makes about twenty requests: a cent for each half an hour that a page is open. */
const POLL_MILLISECONDS = 2000;
/** Each part is signed just before it is sent, but its transfer can take long on a slow connection. */
const SIGNED_SECONDS = 3600;

export const command = subcommand({
  define: () =>
    scriptCommand('studio')
      .description(
        'Serves a page on this machine to upload videos to a stage and to look after them: drag files in, see the ' +
          'progress and the result of each, copy the code that embeds it, delete it. It prints the address of the ' +
          'page, and runs until Ctrl-C.\n\n' +
          'It uses your own AWS credentials, and the page gets none of them: each part of an upload goes to the ' +
          'bucket by an address that is signed for this part. Everyone who can open a connection on this machine ' +
          'can use the page.',
      )
      .argument('<stage>')
      .option('--port <number>', 'the port of the page; 0 for any free port (default: 8090)'),
  stopping: 'Stopping; open uploads can be resumed.',
  read: (line) => ({
    stage: line.stage(),
    port: line.wholeNumber('port', [0, 65_535], 8090),
  }),
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
      store: backend.store,
      deliveryBucket: names.DELIVERY_BUCKET,
      port,
      log,
      allowedSites: [],
      listAssets: () => listAssets({ store: backend.store, config: names }),
      studio: () =>
        openStudio({
          backend,
          names,
          backendName: name,
          origin,
          tokens,
          log,
          pollMilliseconds: POLL_MILLISECONDS,
          parts: { origin: bucketOrigin, sign },
          // If this fails, scaling starts a worker later.
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

/** An S3 address to which a browser can upload this part and nothing else. */
function signPart(
  client: S3Client,
  bucket: string,
  { key, uploadId, partNumber }: PartRequest,
): Promise<string> {
  const part = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumber: partNumber };
  return getSignedUrl(client, new UploadPartCommand(part), { expiresIn: SIGNED_SECONDS });
}
