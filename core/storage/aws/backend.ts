import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Backend } from '../ports.ts';
import { s3ObjectStore } from './object-store.ts';
import { sqsQueue } from './queue.ts';

/**
 * Settings of both clients. The SDK tries throttled and failed requests five times with exponential backoff
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html). The retries of the queue handle
 * longer failures. Connections are kept alive, up to `maxSockets`.
 */
const CLIENT = {
  retryMode: 'standard',
  maxAttempts: 5,
  requestHandler: {
    connectionTimeout: 5_000,
    // Limits the time without a byte, not the whole request, so that a slow upload can take as long as it needs. It is
    // longer than the 20 s for which SQS can hold a request.
    socketTimeout: 30_000,
    httpAgent: { maxSockets: 32 },
    httpsAgent: { maxSockets: 32 },
  },
} as const;

/** Buckets have host names of their own only at AWS, not at compatible services. */
export function needsPathStyle(): boolean {
  return (process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL']) !== undefined;
}

/**
 * Opens the backend on S3 and SQS. The SDK finds the credentials, and the region unless one is given.
 * AWS_ENDPOINT_URL selects a compatible service. Throws Error when no region is set.
 */
export async function openAwsBackend(options: { readonly region?: string } = {}): Promise<Backend> {
  const s3 = new S3Client({
    ...CLIENT,
    ...options,
    forcePathStyle: needsPathStyle(),
    // The signature already covers a SHA-256 of each body. An additional CRC32 would have to be repeated for each
    // part to complete an upload, and compatible services reject it.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    // With this header the SDK opens a new connection for each body above 2 MiB, to wait for "100 Continue".
    expectContinueHeader: false,
  });
  const sqs = new SQSClient({ ...CLIENT, ...options });
  try {
    await s3.config.region();
  } catch (error) {
    throw new Error('No region is set. Set AWS_REGION, or AWS_PROFILE to a profile that has one.', {
      cause: error,
    });
  }
  return {
    store: s3ObjectStore(s3),
    queue: (url) => sqsQueue(sqs, url),
    close: async () => {
      s3.destroy();
      sqs.destroy();
    },
  };
}
