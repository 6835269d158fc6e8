import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { LeaseLostError } from '../../../core/model/errors.ts';
import { assetIdOf } from '../../../core/model/ids.ts';
import { openAwsBackend } from '../../../core/storage/aws/backend.ts';
import { PreconditionFailedError, UploadGoneError } from '../../../core/storage/ports.ts';
import type { Backend } from '../../../core/storage/ports.ts';
import { stage } from '../../../infra/config.ts';
import { openClients } from '../../../scripts/aws/clients.ts';
import { invalidateAsset } from '../../../scripts/aws/invalidation.ts';
import { publicAccess } from '../../../scripts/aws/public-access.ts';
import { completeUpload } from '../../../studio/server/uploads.ts';

/** Responses that AWS documents and the emulator never gives. */
interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

let answers: Answer[] = [];
let asked: IncomingMessage[] = [];
let bodies: string[] = [];
const server = createServer((request, response) => {
  void text(request).then((question) => {
    asked.push(request);
    bodies.push(question);
    const { status, headers, body } = answers.shift() ?? { status: 200 };
    response.writeHead(status, headers).end(body);
  });
});

let backend: Backend;
let address: string;
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv('AWS_ENDPOINT_URL', address);
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'somebody');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  backend = await openAwsBackend();
});
afterEach(() => {
  answers = [];
  asked = [];
  bodies = [];
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await backend.close();
  server.close();
});

const written: Answer = { status: 200, headers: { ETag: '"abc"' } };

function s3Error(status: number, code: string): Answer {
  return { status, body: `<Error><Code>${code}</Code><Message>${code}</Message></Error>` };
}

describe('A conditional write', () => {
  const conflict = s3Error(409, 'ConditionalRequestConflict');
  const put = (condition: { ifMatch?: string; ifNoneMatch?: '*' }) =>
    backend.store.put('bucket', 'key', 'body', {}, condition);

  test('A conditional write that conflicts with another one is tried again', async () => {
    answers = [conflict, conflict, written];
    expect(await put({ ifNoneMatch: '*' })).toEqual({ etag: 'abc' });
    expect(asked.map(({ headers }) => headers['if-none-match'])).toEqual(['*', '*', '*']);
  });

  test('A conditional write that conflicts five times fails, but not with PreconditionFailedError', async () => {
    answers = Array.from({ length: 5 }, () => conflict);
    const failure = await put({ ifMatch: 'abc' }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'ConditionalRequestConflict' });
    expect(asked.map(({ headers }) => headers['if-match'])).toEqual(Array(5).fill('"abc"'));
  });

  test.each([
    ['has changed', s3Error(412, 'PreconditionFailed')],
    ['is gone', s3Error(404, 'NoSuchKey')],
  ])(
    'A conditional write of an object that %s throws PreconditionFailedError',
    async (_what, answer) => {
      answers = [answer];
      await expect(put({ ifMatch: 'abc' })).rejects.toThrow(PreconditionFailedError);
    },
  );
});

test('A purge that the CDN rejects as one too many makes the deletion of an asset fail, to be repeated', async () => {
  const code = 'TooManyInvalidationsInProgress';
  answers = [
    {
      status: 400,
      body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${code}</Message></Error></ErrorResponse>`,
    },
  ];
  await expect(invalidateAsset('EXAMPLE', '0123456789abcdef0123')).rejects.toMatchObject({
    ...{ name: 'RequestError', status: 503 },
    message: expect.stringContaining('Delete it again in a few minutes.') as unknown,
  });
  expect(asked.at(-1)?.url).toBe('/2020-05-31/distribution/EXAMPLE/invalidation');
});

test('Without permission to read the public access block of the account, a deploy warns but continues', async () => {
  answers = [s3Error(403, 'AccessDenied')];
  const config = stage({
    ...{ name: 'mine', region: 'eu-west-1', allowedSites: ['https://my.site'] },
    accessMode: 'public-read',
  });
  const { s3 } = openClients(config);
  expect(await publicAccess(s3, config, '123456789012')).toEqual({
    refusals: [],
    warnings: [
      "These credentials may not ask whether public buckets are blocked. If they are, stage mine cannot be deployed with accessMode public-read, and 'cdn-only' is the one to choose.",
    ],
  });
  s3.destroy();
  expect(asked[0]?.headers['x-amz-account-id']).toBe('123456789012');
});

describe('An upload in parts', () => {
  test('An upload is not completed again after a conflict, as S3 wants all parts again', async () => {
    answers = [s3Error(409, 'ConditionalRequestConflict')];
    const completed = backend.store.completeUpload('bucket', 'key', 'id', [], { ifNoneMatch: '*' });
    await expect(completed).rejects.toMatchObject({ name: 'ConditionalRequestConflict' });
    expect(asked).toHaveLength(1);
  });

  test('An upload sends no checksum besides the signature, as its completion would have to repeat it', async () => {
    answers = [written];
    await backend.store.uploadPart('bucket', 'key', 'id', 1, Buffer.from('part'));
    const names = Object.keys(asked[0]?.headers ?? {});
    expect(names.filter((name) => name.includes('checksum'))).toEqual([]);
    expect(asked[0]?.headers['x-amz-content-sha256']).toMatch(/^[0-9a-f]{64}$/);
  });
});

test('An upload that S3 does not know takes no part and is not completed', async () => {
  const { store } = backend;
  answers = [s3Error(404, 'NoSuchUpload'), s3Error(404, 'NoSuchUpload')];
  const part = store.uploadPart('bucket', 'key', 'id', 1, Buffer.from('part'));
  await expect(part).rejects.toThrow(UploadGoneError);
  await expect(store.completeUpload('bucket', 'key', 'id', [])).rejects.toThrow(UploadGoneError);
});

describe('A completed upload', () => {
  const name = { key: 'studio/0123456789abcdef/a.mp4', uploadId: 'id' };
  const missing = { status: 404 };
  const gone = s3Error(404, 'NoSuchUpload');

  test('A completed upload is reported even if the first response was lost and the SDK has repeated the request', async () => {
    const headers = {
      ...written.headers,
      'content-length': '1',
      'last-modified': 'Thu, 26 Nov 2026 12:00:00 GMT',
    };
    answers = [missing, gone, { status: 200, headers }];
    const completed = await completeUpload(backend.store, 'bucket', { ...name, parts: [] });
    expect(completed).toEqual({ id: assetIdOf({ bucket: 'bucket', key: name.key, etag: 'abc' }) });
  });

  test('A completed upload is not mistaken for one that is gone', async () => {
    answers = [missing, gone, missing];
    const completed = completeUpload(backend.store, 'bucket', { ...name, parts: [] });
    await expect(completed).rejects.toThrow(UploadGoneError);
  });
});

describe('A missing bucket', () => {
  test('A missing bucket is an error, and not a missing object', async () => {
    answers = [s3Error(404, 'NoSuchBucket')];
    await expect(backend.store.get('bucket', 'key')).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
  });
});

describe('Many messages', () => {
  const queue = () => backend.queue(`${address}/123456789012/units`);
  const many = Array.from({ length: 12 }, (_, index) => ({ body: `${index}`, group: 'a job' }));
  const batch = (...failed: readonly (readonly [id: string, isOurs: boolean])[]): Answer => ({
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify({
      Successful: [],
      Failed: failed.map(([Id, SenderFault]) => ({
        ...{ Id, SenderFault, Code: SenderFault ? 'InvalidMessage' : 'InternalError' },
        Message: 'No.',
      })),
    }),
  });
  const batchSchema = z.object({
    Entries: z.array(z.object({ MessageBody: z.string(), MessageGroupId: z.literal('a job') })),
  });
  const sent = () =>
    bodies.map((body) =>
      batchSchema
        .parse(JSON.parse(body))
        .Entries.map(({ MessageBody }) => MessageBody)
        .join(' '),
    );

  test('Messages are sent in batches of ten, and those that SQS rejected are sent again', async () => {
    answers = [batch(['2', false], ['9', false]), batch(['9', false]), batch(), batch()];
    await queue().sendAll(many);
    expect(sent()).toEqual(['0 1 2 3 4 5 6 7 8 9', '2 9', '9', '10 11']);
  });

  test('Messages that SQS rejects for good are an error with the reason', async () => {
    answers = [batch(['2', true], ['3', false])];
    await expect(queue().sendAll(many)).rejects.toThrow(
      'SQS rejected 2 of 10 messages. InvalidMessage: No.; InternalError: No.',
    );
    expect(sent()).toHaveLength(1);
  });

  test('Messages that SQS rejects five times are an error', async () => {
    answers = Array.from({ length: 5 }, () => batch(['0', false]));
    await expect(queue().sendAll(many)).rejects.toThrow('SQS rejected 1 of 10 messages.');
    expect(sent()).toEqual(['0 1 2 3 4 5 6 7 8 9', ...Array<string>(4).fill('0')]);
  });
});

describe('Transient failures', () => {
  test('A request that fails for a moment is tried again', async () => {
    answers = [s3Error(503, 'SlowDown'), { status: 500 }, written];
    expect(await backend.store.put('bucket', 'key', 'body')).toEqual({ etag: 'abc' });
  });
});

describe('A receipt', () => {
  const expired =
    'Value AQEB for parameter ReceiptHandle is invalid. Reason: The receipt handle has';
  const tooLong = 'Value 60 for parameter VisibilityTimeout is invalid. Reason: Total Visibility';
  test.each([
    ['expired', 'InvalidParameterValue', expired, true],
    ['expired', 'InvalidParameterValueException', expired, true],
    ['of no message', 'ReceiptHandleIsInvalid', 'The input receipt handle is invalid.', true],
    ['of a visible message', 'MessageNotInflight', 'It is not in flight.', true],
    ['held for 12 hours', 'InvalidParameterValue', tooLong, false],
    ['of no queue', 'QueueDoesNotExist', 'The specified queue does not exist.', false],
  ])(
    'A receipt that is %s (%s) throws LeaseLostError: %4$s',
    async (_what, code, message, lost) => {
      answers = [
        {
          status: 400,
          headers: { 'content-type': 'application/x-amz-json-1.0' },
          body: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message }),
        },
      ];
      const queue = backend.queue(`${address}/123456789012/jobs`);
      const failure = await queue.extend('AQEB', 60).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(failure instanceof LeaseLostError).toBe(lost);
    },
  );
});

describe('A queue', () => {
  test("The name of a queue does not hold the account's number", () => {
    expect(backend.queue(`${address}/123456789012/jobs`).name).toBe('jobs');
  });
});

describe('A backend without a region', () => {
  test('A backend without a region is not opened, and the error says what is missing', async () => {
    vi.stubEnv('AWS_REGION', undefined);
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
    await expect(openAwsBackend()).rejects.toThrow('Set AWS_REGION');
  });
});
