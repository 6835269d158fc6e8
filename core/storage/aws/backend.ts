import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Backend } from '../ports.ts';
import { s3ObjectStore } from './object-store.ts';
import { sqsQueue } from './queue.ts';

/**
 * How both clients talk. What is throttled or fails in passing is tried five times, after pauses that
 * double (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html); what lasts
 * longer is for the queue's own retries. Connections are kept, and are no more than these.
 */
const CLIENT = {
  retryMode: 'standard',
  maxAttempts: 5,
  requestHandler: {
    connectionTimeout: 5_000,
    // Without a byte for so long: more than the 20 s for which SQS may hold a request, while an upload
    // over a slow line may take as long as it moves.
    socketTimeout: 30_000,
    httpAgent: { maxSockets: 32 },
    httpsAgent: { maxSockets: 32 },
  },
} as const;

/** Buckets have host names at AWS only, not at services that stand in for it. */
export function needsPathStyle(): boolean {
  return (process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL']) !== undefined;
}

/**
 * Opens the backend in the cloud: credentials, and the region unless one is given, as the SDK finds them;
 * with AWS_ENDPOINT_URL any service that speaks S3 and SQS. Throws when no region is set.
 */
export async function openAwsBackend(where: { readonly region?: string } = {}): Promise<Backend> {
  const s3 = new S3Client({
    ...{ ...CLIENT, ...where },
    forcePathStyle: needsPathStyle(),
    // The signature covers a SHA-256 of each body. A CRC32 besides would have to be said again for each
    // part when an upload is completed, and is refused by services other than AWS.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    // To wait for leave to send a body, the SDK opens a new connection for each one above 2 MiB.
    expectContinueHeader: false,
  });
  const sqs = new SQSClient({ ...CLIENT, ...where });
  try {
    await s3.config.region();
  } catch (error) {
    throw new Error('No region is set. Set AWS_REGION, or AWS_PROFILE to a profile that has one.', {
      cause: error,
    });
  }
  return {
    store: s3ObjectStore(s3),
    queue: (address) => sqsQueue(sqs, address),
    close: async () => {
      s3.destroy();
      sqs.destroy();
    },
  };
}
