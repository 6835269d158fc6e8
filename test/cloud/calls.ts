import type { IncomingMessage } from 'node:http';

const JSON_SERVICES: Readonly<Record<string, string>> = {
  AmazonSQS: 'sqs',
  AmazonSSM: 'ssm',
  AmazonEC2ContainerServiceV20141113: 'ecs',
};

/**
 * The action of IAM that a request needs, with the bucket for one of S3: `s3:GetObject source`. Undefined for
 * the one that needs none, as it asks whose the credentials are. Throws Error for a request that it does not know.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
export function actionOf(request: IncomingMessage): string | undefined {
  const { method = '', url = '/', headers } = request;
  const target = headers['x-amz-target']?.toString();
  if (target !== undefined) {
    const [service = '', operation = ''] = target.split('.');
    // SQS has one right for a request and its batch.
    return `${JSON_SERVICES[service] ?? service}:${operation.replace(/MessageBatch$/, 'Message')}`;
  }
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  if (/^\/2020-05-31\/distribution\/\w+\/invalidation$/.test(pathname)) {
    return 'cloudfront:CreateInvalidation';
  }
  const scope = headers.authorization ?? searchParams.get('X-Amz-Credential') ?? '';
  if (/\/sts\/aws4_request/.test(scope)) return undefined;
  if (!/\/s3\/aws4_request/.test(scope)) throw new Error(`What is ${method} ${url}?`);
  const [, bucket = '', key] = /^\/([^/]+)\/?(.+)?$/.exec(pathname) ?? [];
  return `s3:${key === undefined ? ofBucket(searchParams) : ofObject(method, searchParams)} ${bucket}`;
}

function ofBucket(asked: URLSearchParams): string {
  if (asked.has('uploads')) return 'ListBucketMultipartUploads';
  return 'ListBucket';
}

function ofObject(method: string, asked: URLSearchParams): string {
  if (method === 'GET') return asked.has('uploadId') ? 'ListMultipartUploadParts' : 'GetObject';
  if (method === 'HEAD') return 'GetObject';
  if (method === 'DELETE') return asked.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
  return 'PutObject';
}
