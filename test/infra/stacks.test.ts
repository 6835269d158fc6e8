import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readConfig } from '../../core/environment.ts';
import { parseMessage } from '../../core/model/message.ts';
import { STAGES } from '../../infra/config.ts';
import { imageMonth, imageTag } from '../../infra/image.ts';
import { workSteps } from '../../infra/scaling.ts';
import { FULL, OWN_BUCKETS } from './stages.ts';
import { embedded, statements, synth } from './synth.ts';
import type { Resource, Stack } from './synth.ts';

const stages = [...STAGES, FULL, OWN_BUCKETS];
const stacks = synth(stages);
const names = stages.map(({ name }) => name);

function stackOf(name: string): Stack {
  const stack = stacks.get(name);
  if (!stack) throw new Error(`There is no stack ${name}.`);
  return stack;
}

const text = z.string();

describe('The stacks', () => {
  test.each(names)('The stacks of %s depend on each other in one direction only', (name) => {
    const dependencies = (concern: string) => stackOf(`${name}-${concern}`).dependencies.toSorted();
    expect(dependencies('storage')).toEqual([]);
    expect(dependencies('queues')).toEqual([`${name}-storage`]);
    expect(dependencies('delivery')).toEqual([`${name}-storage`]);
    expect(dependencies('compute')).toEqual([`${name}-queues`, `${name}-storage`]);
    expect(dependencies('watching')).toEqual(
      // Monitoring also counts what leaves a public bucket.
      [`${name}-delivery`, `${name}-queues`, ...(name === 'dev' ? [`${name}-storage`] : [])],
    );
  });

  test('Every provider tags resources with their stage', () => {
    for (const [name, { provider }] of stacks) {
      const stageName = name.startsWith('state-') ? name.slice(6) : name.split('-')[0];
      for (const { default_tags } of provider) {
        expect(default_tags).toEqual([{ tags: { project: 'vodstack', stage: stageName } }]);
      }
    }
  });

  test('Every stack pins the version of its provider', () => {
    for (const { terraform } of stacks.values()) {
      expect(terraform['required_providers']).toEqual({
        aws: { source: 'aws', version: '5.100.0' },
      });
    }
  });

  test('A stage with an account ID can be deployed to that account only', () => {
    for (const name of ['full-storage', 'full-delivery', 'state-full']) {
      for (const { allowed_account_ids } of stackOf(name).provider) {
        expect(allowed_account_ids).toEqual(['123456789012']);
      }
    }
  });

  test('The stacks have the outputs that scripts read', () => {
    const outputs = (concern: string) => stackOf(`dev-${concern}`).outputs.toSorted();
    expect(outputs('storage')).toEqual(
      ['deliveryBucket', 'logBucket', 'repositoryUrl', 'sourceBucket', 'workBucket'].toSorted(),
    );
    expect(outputs('queues')).toEqual(['deadLetterQueueUrl', 'eventQueueUrl', 'jobQueueUrl']);
    expect(outputs('delivery')).toEqual(
      ['distributionDomain', 'distributionId', 'functionName', 'origin'].toSorted(),
    );
    expect(outputs('compute')).toEqual(
      ['clusterName', 'image', 'logGroup', 'serviceName', 'taskDefinition'].toSorted(),
    );
    expect(outputs('watching')).toEqual(['dashboardName']);
  });

  test('Synthesis is deterministic', () => {
    const read = (all: ReadonlyMap<string, Stack>) => all.get('dev-compute')?.one(TASK);
    expect(read(synth(STAGES))).toEqual(read(stacks));
  });

  test('Providers contact AWS unless another endpoint is set', () => {
    const emulated = synth(STAGES, 'http://127.0.0.1:5000').get('dev-storage');
    expect(emulated?.provider[0]).toMatchObject({ s3_use_path_style: true, max_retries: 2 });
    for (const { provider } of stacks.values()) {
      for (const settings of provider) {
        expect(Object.keys(settings).filter((key) => /skip|path_style|retries/.test(key))).toEqual(
          [],
        );
      }
    }
  });
});

describe('State', () => {
  test('Terraform keeps the state in local files by default', () => {
    expect(stackOf('dev-queues').terraform).toMatchObject({ backend: { local: {} } });
  });

  test('A stage with a state bucket keeps its state there, encrypted and locked', () => {
    for (const concern of ['storage', 'queues', 'delivery', 'compute', 'watching']) {
      expect(stackOf(`full-${concern}`).terraform['backend']).toEqual({
        s3: {
          bucket: 'site-example-state',
          key: `full-${concern}.tfstate`,
          region: 'us-west-2',
          encrypt: true,
          use_lockfile: true,
        },
      });
    }
  });

  test('A separate stack creates the state bucket, which keeps every version', () => {
    const state = stackOf('state-full');
    expect(state.terraform).toMatchObject({ backend: { local: {} } });
    expect(state.one('aws_s3_bucket')).toMatchObject({
      bucket: 'site-example-state',
      lifecycle: { prevent_destroy: true },
    });
    expect(statements(state.one('aws_s3_bucket_policy')['policy'])).toMatchObject([
      { Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    ]);
    expect(state.one('aws_s3_bucket_versioning')).toMatchObject({
      versioning_configuration: { status: 'Enabled' },
    });
    expect([...stacks.keys()].filter((name) => /^state-/.test(name))).toEqual(['state-full']);
  });
});

const BUCKETS = ['source', 'work', 'delivery', 'logs'];

describe('Buckets', () => {
  const created = STAGES.flatMap(({ name }) => BUCKETS.map((role) => [name, role] as const));

  /** The resource of a type that configures the bucket of a role. */
  function settingOf(name: string, role: string, type: string): Resource | undefined {
    const resources = Object.entries(stackOf(`${name}-storage`).all(type));
    return resources.find(([id]) => id.startsWith(`${role}_`))?.[1];
  }

  test.each(created)('In %s, the bucket %s is encrypted and has no ACLs', (name, role) => {
    expect(
      settingOf(name, role, 'aws_s3_bucket_server_side_encryption_configuration'),
    ).toMatchObject({
      rule: [{ apply_server_side_encryption_by_default: { sse_algorithm: 'AES256' } }],
    });
    expect(settingOf(name, role, 'aws_s3_bucket_ownership_controls')).toMatchObject({
      rule: { object_ownership: 'BucketOwnerEnforced' },
    });
  });

  test.each(created)(
    'In %s, the bucket %s blocks public access as its access mode demands',
    (name, role) => {
      const mode = STAGES.find((one) => one.name === name)?.accessMode;
      const isPublic = role === 'delivery' && mode !== 'cdn-only';
      expect(settingOf(name, role, 'aws_s3_bucket_public_access_block')).toMatchObject({
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: !isPublic,
        restrict_public_buckets: !isPublic,
      });
    },
  );

  test.each(created)('In %s, the bucket %s deletes incomplete uploads', (name, role) => {
    expect(settingOf(name, role, 'aws_s3_bucket_lifecycle_configuration')).toMatchObject({
      rule: expect.arrayContaining([
        expect.objectContaining({
          status: 'Enabled',
          abort_incomplete_multipart_upload: [
            { days_after_initiation: expect.any(Number) as unknown },
          ],
        }),
      ]) as unknown,
    });
  });

  test('Bucket names have a prefix of the stage, which leaves room for a unique suffix', () => {
    for (const [name, role] of created) {
      expect(settingOf(name, role, 'aws_s3_bucket')).toMatchObject({
        bucket_prefix: `vodstack-${name}-${role}-`,
      });
      // S3 allows 63 characters, of which Terraform's suffix takes 26.
      expect(`vodstack-${name}-${role}-`.length).toBeLessThanOrEqual(37);
    }
  });

  test('Only the buckets of sources and videos keep old versions, for a limited time', () => {
    expect(Object.keys(stackOf('prod-storage').all('aws_s3_bucket_versioning'))).toEqual([
      expect.stringMatching(/^delivery_/) as unknown,
      expect.stringMatching(/^source_/) as unknown,
    ]);
    for (const [role, days] of [
      ['source', 90],
      ['delivery', 7],
    ] as const) {
      expect(settingOf('prod', role, 'aws_s3_bucket_lifecycle_configuration')).toMatchObject({
        rule: expect.arrayContaining([
          expect.objectContaining({ noncurrent_version_expiration: [{ noncurrent_days: days }] }),
        ]) as unknown,
      });
    }
  });

  const refusesPlainHttp = (policy: unknown) =>
    statements(policy).filter(
      ({ Effect, Principal, Action, Condition }) =>
        Effect === 'Deny' &&
        Principal === '*' &&
        /^(s3|sqs):\*$/.test(Action.join()) &&
        JSON.stringify(Condition) === '{"Bool":{"aws:SecureTransport":"false"}}',
    );

  test.each(names)('The buckets and queues of %s deny plain HTTP to everybody', (name) => {
    const policies = (concern: string, type: string) =>
      Object.values(stackOf(`${name}-${concern}`).all(type)).map(({ policy }) => policy);
    const ofBuckets = [
      ...policies('storage', 'aws_s3_bucket_policy'),
      ...policies('delivery', 'aws_s3_bucket_policy'),
    ];
    // Existing buckets keep their policies, except those for viewers and for logs.
    expect(ofBuckets).toHaveLength(name === 'own' ? 2 : 4);
    const ofQueues = policies('queues', 'aws_sqs_queue_policy');
    expect(ofQueues).toHaveLength(4);
    for (const policy of [...ofBuckets, ...ofQueues]) {
      const [refusal, ...others] = refusesPlainHttp(policy);
      expect(others).toEqual([]);
      const [first = '', all = `${first}/*`] = refusal?.Resource ?? [];
      expect(first).toContain('arn');
      expect(all).toBe(`${first}/*`);
    }
  });

  test('The source bucket accepts uploads from a studio on loopback, and from no other page', () => {
    const rules = stackOf('prod-storage').all('aws_s3_bucket_cors_configuration');
    expect(Object.values(rules)).toMatchObject([
      {
        bucket: expect.stringMatching(/source_bucket/) as unknown,
        cors_rule: [
          {
            allowed_origins: ['http://127.0.0.1:*', 'http://localhost:*'],
            allowed_methods: ['PUT'],
            allowed_headers: ['content-type'],
            expose_headers: ['ETag'],
          },
        ],
      },
    ]);
  });

  test('Buckets of sources and videos never expire current objects', () => {
    for (const [name, role] of created.filter(
      ([, one]) => one === 'source' || one === 'delivery',
    )) {
      const lifecycle = settingOf(name, role, 'aws_s3_bucket_lifecycle_configuration');
      expect(JSON.stringify(lifecycle)).not.toContain('"days":');
    }
  });

  test('Existing buckets are used unchanged, and no other bucket is created', () => {
    const storage = stackOf('own-storage');
    expect(Object.keys(storage.all('aws_s3_bucket'))).toEqual([]);
    expect(Object.keys(storage.all('aws_s3_bucket_lifecycle_configuration'))).toEqual([]);
    const used = Object.entries(storage.all('data.aws_s3_bucket'));
    expect(used.map(([role, { bucket }]) => [role, bucket]).toSorted()).toEqual([
      ['delivery', 'my-videos'],
      ['logs', 'my-logs'],
      ['source', 'my-uploads'],
      ['work', 'my-work'],
    ]);
  });
});

describe('The image repository', () => {
  test('The image repository has immutable tags and keeps ten images', () => {
    const storage = stackOf('prod-storage');
    expect(storage.one('aws_ecr_repository')).toMatchObject({ image_tag_mutability: 'IMMUTABLE' });
    expect(embedded(storage.one('aws_ecr_lifecycle_policy')['policy'])).toMatchObject({
      rules: [
        { selection: { tagStatus: 'untagged' } },
        { selection: { countType: 'imageCountMoreThan', countNumber: 10 } },
      ],
    });
  });
});

describe('Queues', () => {
  const queues = stackOf('dev-queues');

  test('Queues are encrypted, and keep dead letters for days longer than jobs', () => {
    const kept = Object.entries(queues.all('aws_sqs_queue')).map(([id, queue]) => {
      expect(queue).toMatchObject({ sqs_managed_sse_enabled: true });
      return [id, Number(queue['message_retention_seconds']) / (24 * 3600)];
    });
    expect(Object.fromEntries(kept)).toEqual({
      'dead-letters': 14,
      events: 14,
      jobs: 10,
      units: 10,
    });
  });

  test.each(['jobs', 'units'])(
    'The queue %s moves messages to the dead letters later than a worker does',
    (role) => {
      const queue = queues.all('aws_sqs_queue')[role];
      const redrive = z
        .object({ deadLetterTargetArn: z.string(), maxReceiveCount: z.number() })
        .parse(embedded(queue?.['redrive_policy']));
      expect(redrive.deadLetterTargetArn).toBe('${aws_sqs_queue.dead-letters.arn}');
      expect(redrive.maxReceiveCount).toBeGreaterThan(workerConfig('dev').MAX_RECEIVES);
      expect(queue?.['visibility_timeout_seconds']).toBe(workerConfig('dev').VISIBILITY_SECONDS);
    },
  );

  test('Only the two work queues may move messages to the dead letters', () => {
    expect(
      embedded(queues.one('aws_sqs_queue_redrive_allow_policy')['redrive_allow_policy']),
    ).toEqual({
      redrivePermission: 'byQueue',
      sourceQueueArns: ['${aws_sqs_queue.jobs.arn}', '${aws_sqs_queue.units.arn}'],
    });
  });

  test("Only this account's source bucket and the daily check may send messages to queues", () => {
    const policies = queues.all('aws_sqs_queue_policy');
    const allowed = Object.values(policies)
      .flatMap(({ policy }) => statements(policy))
      .filter(({ Effect }) => Effect === 'Allow');
    const [uploads, check, ...others] = allowed;
    expect(others).toEqual([]);
    expect(check).toMatchObject({
      Principal: { Service: 'events.amazonaws.com' },
      Action: ['sqs:SendMessage'],
      Resource: ['${aws_sqs_queue.jobs.arn}'],
      Condition: {
        ArnEquals: { 'aws:SourceArn': '${aws_cloudwatch_event_rule.daily-check.arn}' },
      },
    });
    expect(uploads).toMatchObject({
      Principal: { Service: 's3.amazonaws.com' },
      Action: ['sqs:SendMessage'],
      Resource: ['${aws_sqs_queue.jobs.arn}'],
      Condition: {
        ArnEquals: { 'aws:SourceArn': expect.stringMatching(/source_bucket.*arn/) as unknown },
        StringEquals: {
          'aws:SourceAccount': expect.stringContaining('aws_sqs_queue.jobs.arn') as unknown,
        },
      },
    });
  });

  test('A daily message that workers understand starts the search for lost work', () => {
    expect(queues.one('aws_cloudwatch_event_rule')).toMatchObject({
      name: 'vodstack-dev-daily-check',
      schedule_expression: 'rate(1 day)',
    });
    const target = queues.one('aws_cloudwatch_event_target');
    expect(target).toMatchObject({
      rule: '${aws_cloudwatch_event_rule.daily-check.name}',
      arn: '${aws_sqs_queue.jobs.arn}',
    });
    expect(parseMessage(z.string().parse(target['input']))).toEqual({ type: 'reconcile' });
  });

  test('The queue policy exists before the bucket notification', () => {
    expect(queues.one('aws_s3_bucket_notification')).toMatchObject({
      queue: [{ events: ['s3:ObjectCreated:*'], queue_arn: '${aws_sqs_queue.jobs.arn}' }],
      depends_on: ['aws_sqs_queue_policy.uploads-to-jobs'],
    });
  });
});

describe('The delivery bucket', () => {
  const reader = (name: string) => {
    const policies = stackOf(`${name}-delivery`).all('aws_s3_bucket_policy');
    const [statement, ...others] = statements(policies['readers']?.['policy']).filter(
      ({ Effect }) => Effect === 'Allow',
    );
    if (!statement || others.length > 0) throw new Error('There is not exactly one statement.');
    return statement;
  };
  const originOf = (name: string) => {
    const { origin } = stackOf(`${name}-delivery`).one('aws_cloudfront_distribution');
    return z.tuple([z.record(z.string(), z.unknown())]).parse(origin)[0];
  };

  test.each(names)(
    'The delivery bucket of %s allows nothing but reads of the published prefixes',
    (name) => {
      const { Effect, Action, Resource } = reader(name);
      expect(Effect).toBe('Allow');
      expect(Action).toEqual(['s3:GetObject']);
      expect(Resource).toEqual([
        expect.stringMatching(/deliver.*\}\/v\/\*$/) as unknown,
        expect.stringMatching(/deliver.*\}\/player\/\*$/) as unknown,
      ]);
    },
  );

  test.each(['prod', 'full', 'own'])(
    "In cdn-only, only the stage's own distribution may read the bucket of %s",
    (name) => {
      expect(reader(name)).toMatchObject({
        Principal: { Service: 'cloudfront.amazonaws.com' },
        Condition: {
          StringEquals: { 'AWS:SourceArn': '${aws_cloudfront_distribution.distribution.arn}' },
        },
      });
      expect(originOf(name)).toMatchObject({
        origin_access_control_id: '${aws_cloudfront_origin_access_control.origin-access.id}',
      });
    },
  );

  test('In public-read-via-cdn, the bucket accepts the secret that the CDN sends, and the previous one', () => {
    const secret = (index: number) =>
      `\${element(split(" ", aws_ssm_parameter.origin-secret.value), ${index})}`;
    expect(reader('staging')).toMatchObject({
      Principal: '*',
      Condition: {
        StringEquals: { 'aws:Referer': [0, 1].map((one) => secret(one).replaceAll('"', "'")) },
      },
    });
    expect(originOf('staging')['custom_header']).toEqual([{ name: 'Referer', value: secret(0) }]);
    // Terraform draws it once, so the synthesised configuration does not contain it.
    expect(stackOf('staging-delivery').all('aws_ssm_parameter')['origin-secret']).toMatchObject({
      type: 'SecureString',
      value: '${uuid()}-${uuid()} ${uuid()}-${uuid()}',
      lifecycle: { ignore_changes: ['value'] },
    });
    // The bucket accepts a new secret before the CDN sends it.
    expect(stackOf('staging-delivery').one('aws_cloudfront_distribution')).toMatchObject({
      depends_on: ['aws_s3_bucket_policy.readers'],
    });
  });

  test('In public-read, anybody may read the bucket, and synthesis warns of it', () => {
    expect(reader('dev')).toMatchObject({ Principal: '*' });
    expect(reader('dev').Condition).toBeUndefined();
    expect(stackOf('dev-delivery').warnings).toEqual([
      expect.stringContaining(
        "whoever knows the bucket's own address fetches there, past the edge",
      ) as unknown,
    ]);
    for (const [name, { warnings }] of stacks) {
      if (name !== 'dev-delivery') expect(warnings).toEqual([]);
    }
  });
});

describe('The CDN', () => {
  test.each([
    ['dev', 'https://${aws_cloudfront_distribution.distribution.domain_name}'],
    ['full', 'https://cdn.site.example'],
  ])('A parameter of stage %s has the origin of its videos', (name, value) => {
    expect(stackOf(`${name}-delivery`).all('aws_ssm_parameter')['where-videos-are']).toMatchObject({
      name: `/vodstack/${name}/origin`,
      type: 'String',
      value,
    });
  });

  test('A parameter has the id of the distribution, for invalidations', () => {
    expect(stackOf('dev-delivery').all('aws_ssm_parameter')['distribution-id']).toMatchObject({
      name: '/vodstack/dev/distribution',
      value: '${aws_cloudfront_distribution.distribution.id}',
    });
  });

  const behavior = z.object({
    path_pattern: z.string().optional(),
    allowed_methods: z.array(z.string()),
    cache_policy_id: z.string(),
    compress: z.boolean(),
    viewer_protocol_policy: z.string(),
    response_headers_policy_id: z.string(),
    function_association: z.array(z.object({ event_type: z.string(), function_arn: z.string() })),
  });
  const distributionSchema = z.object({
    ordered_cache_behavior: z.array(behavior),
    default_cache_behavior: behavior,
  });
  const behaviors = (name: string) => {
    const { ordered_cache_behavior, default_cache_behavior } = distributionSchema.parse(
      stackOf(`${name}-delivery`).one('aws_cloudfront_distribution'),
    );
    return [...ordered_cache_behavior, default_cache_behavior];
  };

  /** The maximum TTL of the cache behavior for a path. */
  function maxTtlOf(name: string, path: string): unknown {
    const taken = behaviors(name).find(({ path_pattern: pattern = '*' }) =>
      // CloudFront's star also matches slashes.
      new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(path),
    );
    const policy = /cloudfront_cache_policy\.([a-z-]+)\.id/.exec(taken?.cache_policy_id ?? '')?.[1];
    return stackOf(`${name}-delivery`).all('aws_cloudfront_cache_policy')[policy ?? '']?.[
      'max_ttl'
    ];
  }

  test.each([
    ['v/0123456789abcdef0123/index.m3u8', 10],
    ['v/0123456789abcdef0123/fedcba98/720p/index.m3u8', 31_536_000],
    ['v/0123456789abcdef0123/fedcba98/720p/00000.ts', 31_536_000],
    ['v/0123456789abcdef0123/fedcba98/images/poster.jpg', 31_536_000],
    ['v/0123456789abcdef0123/fedcba98/asset.json', 31_536_000],
    ['t/1795665600.signature/v/0123456789abcdef0123/index.m3u8', 10],
    ['t/1795665600.signature/v/0123456789abcdef0123/fedcba98/720p/index.m3u8', 31_536_000],
    ['player/vod-player.js', 3600],
  ])('The CDN caches %s for at most %i s', (path, seconds) => {
    for (const name of names) expect(maxTtlOf(name, `/${path}`)).toBe(seconds);
  });

  test.each(names)('The CDN of %s does not cache answers for missing objects', (name) => {
    expect(stackOf(`${name}-delivery`).one('aws_cloudfront_distribution')).toMatchObject({
      custom_error_response: [{ error_code: 403, error_caching_min_ttl: 0 }],
    });
  });

  test.each(names)('The cache key of %s is the path and the encoding', (name) => {
    const policies = Object.values(stackOf(`${name}-delivery`).all('aws_cloudfront_cache_policy'));
    expect(policies).toHaveLength(3);
    for (const policy of policies) {
      expect(policy).toMatchObject({
        min_ttl: 0,
        parameters_in_cache_key_and_forwarded_to_origin: {
          enable_accept_encoding_brotli: true,
          enable_accept_encoding_gzip: true,
          cookies_config: { cookie_behavior: 'none' },
          headers_config: { header_behavior: 'none' },
          query_strings_config: { query_string_behavior: 'none' },
        },
      });
    }
  });

  test.each(names)(
    'The CDN of %s runs the edge function for every path, and compresses',
    (name) => {
      for (const one of behaviors(name)) {
        expect(one).toMatchObject({
          allowed_methods: ['GET', 'HEAD', 'OPTIONS'],
          compress: true,
          viewer_protocol_policy: 'redirect-to-https',
          response_headers_policy_id:
            '${aws_cloudfront_response_headers_policy.response-headers.id}',
          function_association: [
            {
              event_type: 'viewer-request',
              function_arn: '${aws_cloudfront_function.viewer-request.arn}',
            },
          ],
        });
      }
    },
  );

  test.each(stages)(
    'The CDN of $name runs the edge function with the sites of the stage and open posters',
    (config) => {
      const edgeFunction = stackOf(`${config.name}-delivery`).one('aws_cloudfront_function');
      const code = text.parse(edgeFunction['code']);
      expect(edgeFunction).toMatchObject({ runtime: 'cloudfront-js-2.0', publish: true });
      expect(Buffer.byteLength(code)).toBeLessThan(10_240);
      expect(code).toContain('"openPosters":true');
      for (const site of config.allowedSites) expect(code).toContain(`"${site.toLowerCase()}"`);
      // Terraform would evaluate these as templates.
      expect(code.replace(/"tokenKeys":\[.*?\]/, '')).not.toMatch(/[$%]\{/);
    },
  );

  test('The edge function of a stage with tokens accepts two keys, which Terraform draws', () => {
    const delivery = stackOf('full-delivery');
    const key = (index: number) =>
      `\${element(split(" ", aws_ssm_parameter.edge-keys.value), ${index})}`;
    const { code } = delivery.one('aws_cloudfront_function');
    expect(code).toContain(`"tokenKeys":["${key(0)}","${key(1)}"]`);
    const parameters = delivery.all('aws_ssm_parameter');
    expect(parameters['edge-keys']).toMatchObject({
      name: '/vodstack/full/edge-keys',
      type: 'SecureString',
      value: '${uuid()}-${uuid()} ${uuid()}-${uuid()}',
      // They are drawn once, and rotated in SSM.
      lifecycle: { ignore_changes: ['value'] },
    });
    expect(parameters['playback-key']).toMatchObject({
      name: '/vodstack/full/playback-key',
      type: 'SecureString',
      value: key(0),
      // Nobody may sign with a key that the edge function does not accept yet.
      depends_on: ['aws_cloudfront_function.viewer-request'],
    });
  });

  test('A stage without tokens has no keys', () => {
    for (const name of names.filter((one) => one !== 'full')) {
      const delivery = stackOf(`${name}-delivery`);
      expect(delivery.one('aws_cloudfront_function')['code']).toContain('"tokenKeys":[]');
      const secrets = Object.keys(delivery.all('aws_ssm_parameter'));
      expect(secrets.filter((id) => id.includes('key'))).toEqual([]);
    }
  });

  test('The response headers policy adds the same headers as the local edge', () => {
    expect(stackOf('full-delivery').one('aws_cloudfront_response_headers_policy')).toMatchObject({
      cors_config: {
        access_control_allow_origins: { items: ['*'] },
        access_control_allow_headers: {
          items: [
            ...['Range', 'CMCD-Request', 'CMCD-Object', 'CMCD-Status', 'CMCD-Session'],
            'X-Playback-Session-Id',
          ],
        },
        access_control_expose_headers: {
          items: ['Content-Length', 'Content-Range', 'Date', 'ETag'],
        },
        access_control_allow_credentials: false,
        origin_override: true,
      },
      security_headers_config: { content_type_options: { override: true } },
      custom_headers_config: {
        items: [
          { header: 'Timing-Allow-Origin', value: '*' },
          { header: 'Cross-Origin-Resource-Policy', value: 'cross-origin' },
        ],
      },
    });
  });

  test.each(names)('The CDN of %s supports HTTP/2 and HTTP/3, and writes access logs', (name) => {
    const delivery = stackOf(`${name}-delivery`);
    expect(delivery.one('aws_cloudfront_distribution')).toMatchObject({
      http_version: 'http2and3',
      default_root_object: 'index.html',
    });
    expect(delivery.one('aws_cloudwatch_log_delivery_source')).toMatchObject({
      provider: 'aws.edge',
      log_type: 'ACCESS_LOGS',
      resource_arn: '${aws_cloudfront_distribution.distribution.arn}',
    });
    const writer = Object.entries(delivery.all('aws_s3_bucket_policy')).find(([id]) =>
      id.startsWith('access-logs'),
    );
    expect(statements(writer?.[1]['policy'])).toMatchObject([
      { Effect: 'Deny' },
      {
        Principal: { Service: 'delivery.logs.amazonaws.com' },
        Action: ['s3:PutObject'],
        Condition: {
          StringEquals: { 'aws:SourceAccount': expect.any(String) as unknown },
          ArnLike: { 'aws:SourceArn': expect.stringContaining(':delivery-source:') as unknown },
        },
      },
    ]);
  });

  test('The CDN has the domain, certificate and firewall of its stage', () => {
    const delivery = stackOf('full-delivery');
    expect(delivery.one('aws_cloudfront_distribution')).toMatchObject({
      aliases: ['cdn.site.example'],
      viewer_certificate: {
        acm_certificate_arn: 'arn:aws:acm:us-east-1:123456789012:certificate/abc',
        minimum_protocol_version: 'TLSv1.2_2021',
      },
      web_acl_id: expect.stringContaining('aws_wafv2_web_acl') as unknown,
    });
    expect(delivery.one('aws_wafv2_web_acl')).toMatchObject({
      provider: 'aws.edge',
      scope: 'CLOUDFRONT',
      rule: [{ statement: { rate_based_statement: { limit: 5000 } }, action: { block: {} } }],
    });
    expect(Object.keys(stackOf('prod-delivery').all('aws_wafv2_web_acl'))).toEqual([]);
  });
});

const TASK = 'aws_ecs_task_definition';

const container = z.looseObject({
  environment: z.array(z.object({ name: z.string(), value: z.string() })),
});

function containerOf(name: string): z.infer<typeof container> {
  const definitions = embedded(stackOf(`${name}-compute`).one(TASK)['container_definitions']);
  return z.tuple([container]).parse(definitions)[0];
}

function workerConfig(name: string) {
  const filled = containerOf(name).environment.map(({ name: variable, value }) => [
    variable,
    // Terraform fills in the address.
    value.replace(/^\$\{.*url.*\}$/, 'https://sqs.example/123456789012/queue'),
  ]);
  return readConfig(z.record(z.string(), z.string()).parse(Object.fromEntries(filled)));
}

describe('A worker', () => {
  test.each(names)('The environment of workers of %s is complete', (name) => {
    expect(workerConfig(name)).toMatchObject({
      VODSTACK_HOME: 'aws:',
      SOURCE_BUCKET: expect.stringMatching(/source/) as unknown,
      WORK_DIRECTORY: '/tmp',
    });
  });

  test('A worker can write to its scratch folder only, has no capabilities, and has time to stop', () => {
    expect(containerOf('prod')).toMatchObject({
      readonlyRootFilesystem: true,
      mountPoints: [{ sourceVolume: 'scratch', containerPath: '/tmp', readOnly: false }],
      linuxParameters: { capabilities: { drop: ['ALL'] } },
      stopTimeout: 120,
    });
    expect(stackOf('prod-compute').one(TASK)).toMatchObject({ volume: [{ name: 'scratch' }] });
  });

  test('The health check and the scratch folder match the image', () => {
    const image = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
    const asked =
      /^HEALTHCHECK --interval=(\d+)s --timeout=(\d+)s --start-period=(\d+)s --retries=(\d+) \\\n {2}CMD (.+)$/m;
    const [, interval, timeout, startPeriod, retries, command] = asked.exec(image) ?? [];
    const [, volume] = /^VOLUME (.+)$/m.exec(image) ?? [];
    expect(containerOf('prod')).toMatchObject({
      healthCheck: {
        command: ['CMD-SHELL', command],
        interval: Number(interval),
        timeout: Number(timeout),
        startPeriod: Number(startPeriod),
        retries: Number(retries),
      },
      mountPoints: [{ containerPath: volume }],
    });
  });

  test('Workers have the size, architecture and share of Spot of their stage, and a mixture begins with one on demand', () => {
    const compute = stackOf('full-compute');
    expect(compute.one(TASK)).toMatchObject({
      cpu: '4096',
      memory: '8192',
      runtime_platform: { cpu_architecture: 'ARM64' },
    });
    expect(compute.one('aws_ecs_service')).toMatchObject({
      capacity_provider_strategy: [
        { capacity_provider: 'FARGATE', weight: 25, base: 1 },
        { capacity_provider: 'FARGATE_SPOT', weight: 75 },
      ],
      lifecycle: { ignore_changes: ['desired_count'] },
    });
    expect(stackOf('dev-compute').one('aws_ecs_service')).toMatchObject({
      capacity_provider_strategy: [{ capacity_provider: 'FARGATE_SPOT', weight: 100 }],
    });
  });

  test('A change of the share of Spot does not replace the service', () => {
    for (const name of names) {
      expect(stackOf(`${name}-compute`).one('aws_ecs_service')).toMatchObject({
        force_new_deployment: true,
      });
    }
  });

  test('The tag of the image depends on the architecture', () => {
    const tag = (name: string) =>
      /:([0-9a-f-]+)$/.exec(text.parse(containerOf(name)['image']))?.[1];
    expect(tag('full')).toBe(imageTag('ARM64', imageMonth()));
    expect(tag('prod')).toBe(imageTag('X86_64', imageMonth()));
    expect(tag('full')).not.toBe(tag('prod'));
  });

  test('Workers run in public subnets that nothing can connect to, without a NAT gateway', () => {
    const compute = stackOf('prod-compute');
    expect(Object.keys(compute.all('aws_nat_gateway'))).toEqual([]);
    expect(compute.one('aws_security_group')).toMatchObject({
      ingress: [],
      egress: [{ from_port: 443, to_port: 443, protocol: 'tcp' }],
    });
    // The default group of the network.
    expect(compute.one('aws_default_security_group')).toMatchObject({ ingress: [], egress: [] });
    expect(compute.one('aws_vpc_endpoint')).toMatchObject({
      service_name: 'com.amazonaws.eu-central-1.s3',
      vpc_endpoint_type: 'Gateway',
    });
    expect(compute.one('aws_ecs_service')).toMatchObject({
      network_configuration: { assign_public_ip: true },
    });
  });
});

describe('Roles', () => {
  const roles = names.flatMap((name) =>
    Object.entries(stackOf(`${name}-compute`).all('aws_iam_role_policy')).map(
      ([id, role]) => [name, id, role] as const,
    ),
  );

  test.each(roles)(
    'In %s, the role %s allows named actions on named resources',
    (_name, _id, role) => {
      for (const { Effect, Action, Resource } of statements(role['policy'])) {
        expect(Effect).toBe('Allow');
        for (const action of Action) expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
        // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
        if (Resource.includes('*')) expect(Action).toEqual(['ecr:GetAuthorizationToken']);
      }
    },
  );

  test('A worker can use its own prefixes and queues only, and cannot delete sources', () => {
    const [, , task] = roles.find(([name, id]) => name === 'prod' && id.includes('task')) ?? [];
    const rights = statements(task?.['policy']).map(({ Action, Resource }) => [
      Action.join(' '),
      Resource.map((arn) => arn.replace(/^.*?output-aws_(s3_bucket|sqs_queue)/, '')),
    ]);
    expect(rights).toEqual([
      ['s3:GetObject', [expect.stringMatching(/^source_.*\/\*$/) as unknown]],
      [
        's3:GetObject s3:PutObject s3:DeleteObject',
        [expect.stringMatching(/^work_.*\/jobs\/\*$/) as unknown],
      ],
      [
        's3:GetObject s3:PutObject s3:DeleteObject',
        ['titles', 'unnamed'].map(
          (prefix) => expect.stringMatching(new RegExp(`^work_.*/${prefix}/\\*$`)) as unknown,
        ),
      ],
      [
        's3:GetObject s3:DeleteObject',
        [expect.stringMatching(/^work_.*\/deleted\/\*$/) as unknown],
      ],
      [
        's3:GetObject s3:PutObject s3:DeleteObject s3:AbortMultipartUpload',
        [expect.stringMatching(/^delivery_.*\/v\/\*$/) as unknown],
      ],
      [
        's3:ListBucket',
        ['source', 'work', 'delivery'].map((role) => expect.stringMatching(role) as unknown),
      ],
      [
        'sqs:ReceiveMessage sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:SendMessage sqs:GetQueueAttributes',
        [expect.stringMatching(/^jobs/) as unknown, expect.stringMatching(/^units/) as unknown],
      ],
      [
        'sqs:ReceiveMessage sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes',
        [expect.stringMatching(/^dead-letters/) as unknown],
      ],
      [
        'ecs:UpdateTaskProtection',
        [expect.stringMatching(/:task\/vodstack-prod-workers\/\*$/) as unknown],
      ],
      [
        'sqs:SendMessage',
        [
          expect.stringMatching(/^dead-letters/) as unknown,
          expect.stringMatching(/^events/) as unknown,
        ],
      ],
    ]);
  });

  test("Only tasks of this account can assume the workers' roles", () => {
    for (const role of Object.values(stackOf('prod-compute').all('aws_iam_role'))) {
      expect(statements(role['assume_role_policy'])).toMatchObject([
        {
          Principal: { Service: 'ecs-tasks.amazonaws.com' },
          Condition: {
            ArnLike: {
              'aws:SourceArn': expect.stringMatching(/^arn:aws:ecs:eu-central-1:/) as unknown,
            },
            StringEquals: { 'aws:SourceAccount': expect.any(String) as unknown },
          },
        },
      ]);
    }
  });
});

describe('Scaling', () => {
  test('Scaling stays between minWorkers and maxWorkers of the stage', () => {
    expect(stackOf('dev-compute').one('aws_appautoscaling_target')).toMatchObject({
      min_capacity: 0,
      max_capacity: 4,
    });
    const { rest } = Object.fromEntries(
      Object.entries(stackOf('dev-compute').all('aws_appautoscaling_policy')).map(([id, one]) => [
        id.replace(/^scaling_(\w+?)_.*$/, '$1'),
        one,
      ]),
    );
    expect(rest).toMatchObject({
      step_scaling_policy_configuration: {
        adjustment_type: 'ExactCapacity',
        cooldown: 300,
        step_adjustment: [{ metric_interval_lower_bound: '0', scaling_adjustment: 0 }],
      },
    });
  });

  test('Scaling is replaced together with its service', () => {
    const compute = stackOf('dev-compute');
    const [target, declared] = Object.entries(compute.all('aws_appautoscaling_target'))[0] ?? [];
    expect(declared).toMatchObject({
      lifecycle: { replace_triggered_by: ['aws_ecs_service.workers.id'] },
    });
    const policies = Object.values(compute.all('aws_appautoscaling_policy'));
    expect(policies).toHaveLength(2);
    for (const one of policies) {
      expect(one).toMatchObject({
        lifecycle: { replace_triggered_by: [`aws_appautoscaling_target.${target}.id`] },
      });
    }
  });

  const alarms = z
    .record(
      z.string(),
      z.object({
        alarm_name: z.string(),
        treat_missing_data: z.string(),
        metric_query: z.array(
          z.object({
            id: z.string(),
            expression: z.string().optional(),
            metric: z.looseObject({ dimensions: z.record(z.string(), z.string()) }).optional(),
          }),
        ),
      }),
    )
    .parse(stackOf('dev-compute').all('aws_cloudwatch_metric_alarm'));
  const alarm = (role: string) => {
    const found = Object.values(alarms).find((one) => one.alarm_name === `vodstack-dev-${role}`);
    if (!found) throw new Error(`There is no alarm ${role}.`);
    const { metric_query: queries, treat_missing_data: missing } = found;
    const expressions = queries.flatMap(({ expression }) => expression ?? []);
    return { missing, expressions, queries };
  };

  test('The backlog counts both queues, even if one of them reports nothing', () => {
    const { missing, expressions, queries } = alarm('there-is-work');
    expect(missing).toBe('notBreaching');
    expect(expressions).toEqual([
      'SUM([jobs_waiting, units_waiting, jobs_working, units_working])',
    ]);
    const named = queries.flatMap(({ metric }) => metric?.dimensions['QueueName'] ?? []);
    expect(named.map((name) => /aws_sqs_queue(jobs|units)/.exec(name)?.[1])).toEqual([
      ...['jobs', 'units', 'jobs', 'units'],
    ]);
  });

  test('Workers are stopped only if some run and both queues report that they are empty', () => {
    const { missing, expressions, queries } = alarm('there-is-no-work');
    // Not if a queue reports nothing, and not while no worker runs: an upload may start one at that moment.
    expect(missing).toBe('notBreaching');
    expect(expressions).toEqual([
      'IF(running > 0 AND jobs_waiting + units_waiting + jobs_working + units_working == 0, 1, 0)',
    ]);
    expect(queries[0]).toMatchObject({
      id: 'running',
      metric: {
        namespace: 'AWS/ECS',
        metric_name: 'CPUUtilization',
        stat: 'SampleCount',
        dimensions: {
          ClusterName: '${aws_ecs_cluster.cluster.name}',
          ServiceName: '${aws_ecs_service.workers.name}',
        },
      },
    });
  });

  /** The number of workers that AWS starts for a backlog. Bounds are relative to the alarm's threshold of one. */
  function workersFor(backlog: number, maxWorkers: number): number | undefined {
    return workSteps(maxWorkers).find(
      ({ metricIntervalLowerBound: lower, metricIntervalUpperBound: upper = 'Infinity' }) =>
        backlog - 1 >= Number(lower) && backlog - 1 < Number(upper),
    )?.scalingAdjustment;
  }

  test.each([1, 4, 20])('Scaling starts one worker for each message, up to %i', (most) => {
    for (const backlog of [1, 2, 3, 4, 5, 19, 20, 21, 1000]) {
      expect(workersFor(backlog, most)).toBe(Math.min(backlog, most));
    }
  });

  test.each([21, 50, 100, 999, 1000])(
    'Scaling to %i workers takes at most 20 steps and never starts more workers than there are messages',
    (most) => {
      expect(workSteps(most).length).toBeLessThanOrEqual(20);
      for (const backlog of [1, 2, 7, 20, 50, 500, 1000, 5000]) {
        const workers = workersFor(backlog, most) ?? 0;
        expect(workers).toBeLessThanOrEqual(Math.min(backlog, most));
        expect(workers).toBeGreaterThanOrEqual(Math.min(backlog, most) * 0.65);
      }
    },
  );
});

describe('Monitoring', () => {
  test.each(names)('The monitoring of %s has its alarms', (name) => {
    const alarms = Object.keys(stackOf(`${name}-watching`).all('aws_cloudwatch_metric_alarm'));
    expect(alarms.filter((id) => id !== 'bucket-traffic').toSorted()).toEqual([
      'dead-letters',
      'edge-errors',
      'edge-traffic',
      'no-progress',
      'oldest-message',
      'oldest-unit',
    ]);
  });

  test('Only a public bucket has an alarm for its own traffic', () => {
    const watching = stackOf('dev-watching');
    expect(watching.one('aws_s3_bucket_metric')).toMatchObject({ name: 'vodstack-dev-all' });
    expect(watching.all('aws_cloudwatch_metric_alarm')['bucket-traffic']).toMatchObject({
      namespace: 'AWS/S3',
      metric_name: 'BytesDownloaded',
      dimensions: { BucketName: expect.any(String) as unknown, FilterId: 'vodstack-dev-all' },
      threshold: 20e9,
    });
    for (const name of names.filter((one) => one !== 'dev')) {
      const other = stackOf(`${name}-watching`);
      expect(Object.keys(other.all('aws_s3_bucket_metric'))).toEqual([]);
      expect(other.all('aws_cloudwatch_metric_alarm')['bucket-traffic']).toBeUndefined();
    }
  });

  test("The CDN's alarms and their topic are in the region of its metrics", () => {
    const watching = stackOf('full-watching');
    const alarms = watching.all('aws_cloudwatch_metric_alarm');
    const topics = watching.all('aws_sns_topic');
    for (const alarm of Object.values(alarms)) {
      const [topic] = z.array(z.string()).parse(alarm['alarm_actions']);
      const id = /aws_sns_topic\.([a-z-]+)\.arn/.exec(topic ?? '')?.[1] ?? '';
      expect(topics[id]?.['provider']).toBe(alarm['provider']);
    }
    expect(alarms['edge-errors']).toMatchObject({ provider: 'aws.edge' });
    expect(alarms['dead-letters']?.['provider']).toBeUndefined();
  });

  test('Alarms and the budget send mail if the stage has an address and a limit', () => {
    const watching = stackOf('full-watching');
    for (const mail of Object.values(watching.all('aws_sns_topic_subscription'))) {
      expect(mail).toMatchObject({ protocol: 'email', endpoint: 'ops@site.example' });
    }
    expect(watching.one('aws_budgets_budget')).toMatchObject({
      limit_amount: '50.0',
      notification: [{ threshold: 80 }, { threshold: 100, notification_type: 'FORECASTED' }],
    });
    expect(Object.keys(stackOf('dev-watching').all('aws_budgets_budget'))).toEqual([]);
  });

  test('The dashboard has graphs that do not overlap', () => {
    const body = z
      .object({ widgets: z.array(z.looseObject({ x: z.number(), y: z.number() })) })
      .parse(embedded(stackOf('dev-watching').one('aws_cloudwatch_dashboard')['dashboard_body']));
    const places = body.widgets.map(({ x, y }) => `${x},${y}`);
    expect(new Set(places).size).toBe(places.length);
  });
});
