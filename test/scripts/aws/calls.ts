import type { IncomingMessage } from 'node:http';

/** Of the names by which a request calls its service those that IAM has another one for. */
const SERVICES: Readonly<Record<string, string>> = {
  monitoring: 'cloudwatch',
  email: 'ses',
  tagging: 'tag',
};

/** IAM's names of what S3 does with a part of a bucket, where they are not those of the request. */
const BUCKET_PARTS: Readonly<Record<string, string>> = {
  accelerate: 'AccelerateConfiguration',
  acl: 'BucketAcl',
  cors: 'BucketCORS',
  encryption: 'EncryptionConfiguration',
  lifecycle: 'LifecycleConfiguration',
  location: 'BucketLocation',
  logging: 'BucketLogging',
  metrics: 'MetricsConfiguration',
  notification: 'BucketNotification',
  'object-lock': 'BucketObjectLockConfiguration',
  ownershipControls: 'BucketOwnershipControls',
  policy: 'BucketPolicy',
  publicAccessBlock: 'BucketPublicAccessBlock',
  replication: 'ReplicationConfiguration',
  requestPayment: 'BucketRequestPayment',
  tagging: 'BucketTagging',
  versioning: 'BucketVersioning',
  website: 'BucketWebsite',
};

/** Deleting these has a right of its own; of all other parts deleting is putting. */
const DELETED_BY_NAME = new Set(['policy', 'website']);

/**
 * The action of IAM that a request needs, with the bucket for one of S3: `s3:GetObject source`. A request's form
 * is the body of a service that takes its calls so. Undefined for the one that needs none, as it asks whose the
 * credentials are. Throws Error for a request that it does not know.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
export function actionOf(request: IncomingMessage, form = ''): string | undefined {
  const { method = '', url = '/', headers } = request;
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const scope = headers.authorization ?? searchParams.get('X-Amz-Credential') ?? '';
  const [, signed = ''] = /\/([\w-]+)\/aws4_request/.exec(scope) ?? [];
  if (signed === 'sts') return undefined;
  const service = SERVICES[signed] ?? signed;
  const target = headers['x-amz-target']?.toString();
  if (target !== undefined) {
    const [, called = ''] = target.split('.');
    // SQS has one right for a request and its batch.
    return `${service}:${called.replace(/MessageBatch$/, 'Message')}`;
  }
  const operation =
    new URLSearchParams(form).get('Action') ?? /\/operation\/(\w+)$/.exec(pathname)?.[1];
  if (operation) return `${service}:${operation}`;
  if (service === 'cloudfront') return `cloudfront:${ofCloudFront(method, pathname, searchParams)}`;
  if (service !== 's3') throw new Error(`What is ${method} ${url}?`);
  if (pathname.startsWith('/v20180820/')) return 's3:GetAccountPublicAccessBlock';
  const [, bucket = '', key] = /^\/([^/]*)\/?(.+)?$/.exec(pathname) ?? [];
  if (bucket === '') return 's3:ListAllMyBuckets';
  return `s3:${key === undefined ? ofBucket(method, searchParams) : ofObject(method, searchParams)} ${bucket}`;
}

const VERBS: Readonly<Record<string, string>> = {
  POST: 'Create',
  GET: 'Get',
  PUT: 'Update',
  DELETE: 'Delete',
};

function ofCloudFront(method: string, path: string, asked: URLSearchParams): string {
  const [kind = '', id, part] = path.replace('/2020-05-31/', '').split('/');
  const noun = kind
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
  if (kind === 'tagging') {
    return method === 'GET' ? 'ListTagsForResource' : `${asked.get('Operation') ?? ''}Resource`;
  }
  if (part === 'invalidation') return method === 'GET' ? 'GetInvalidation' : 'CreateInvalidation';
  if (part === 'publish' || part === 'describe' || part === 'test') {
    return `${part.charAt(0).toUpperCase()}${part.slice(1)}${noun}`;
  }
  if (method === 'GET' && id === undefined) {
    return `List${/y$/.test(noun) ? noun.replace(/y$/, 'ies') : `${noun}s`}`;
  }
  return `${VERBS[method] ?? method}${noun}`;
}

function ofBucket(method: string, asked: URLSearchParams): string {
  if (asked.has('uploads')) return 'ListBucketMultipartUploads';
  if (asked.has('versions')) return 'ListBucketVersions';
  if (asked.has('delete')) return 'DeleteObject';
  const part = Object.keys(BUCKET_PARTS).find((one) => asked.has(one));
  if (part !== undefined) {
    const verb =
      method === 'GET'
        ? 'Get'
        : method === 'DELETE' && DELETED_BY_NAME.has(part)
          ? 'Delete'
          : 'Put';
    return `${verb}${BUCKET_PARTS[part] ?? ''}`;
  }
  if (method === 'PUT') return 'CreateBucket';
  return method === 'DELETE' ? 'DeleteBucket' : 'ListBucket';
}

function ofObject(method: string, asked: URLSearchParams): string {
  if (method === 'GET') return asked.has('uploadId') ? 'ListMultipartUploadParts' : 'GetObject';
  if (method === 'HEAD') return 'GetObject';
  if (method === 'DELETE') return asked.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
  return 'PutObject';
}
