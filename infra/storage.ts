import { DataAwsS3Bucket } from '@cdktf/provider-aws/lib/data-aws-s3-bucket/index.js';
import { EcrLifecyclePolicy } from '@cdktf/provider-aws/lib/ecr-lifecycle-policy/index.js';
import { EcrRepository } from '@cdktf/provider-aws/lib/ecr-repository/index.js';
import { S3BucketCorsConfiguration } from '@cdktf/provider-aws/lib/s3-bucket-cors-configuration/index.js';
import { S3BucketLifecycleConfiguration } from '@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration/index.js';
import type { S3BucketLifecycleConfigurationRule } from '@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration/index.js';
import { S3BucketOwnershipControls } from '@cdktf/provider-aws/lib/s3-bucket-ownership-controls/index.js';
import { S3BucketPolicy } from '@cdktf/provider-aws/lib/s3-bucket-policy/index.js';
import { S3BucketPublicAccessBlock } from '@cdktf/provider-aws/lib/s3-bucket-public-access-block/index.js';
import { S3BucketServerSideEncryptionConfigurationA } from '@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration/index.js';
import { S3BucketVersioningA } from '@cdktf/provider-aws/lib/s3-bucket-versioning/index.js';
import { S3Bucket } from '@cdktf/provider-aws/lib/s3-bucket/index.js';
import { Construct } from 'constructs';
import { BUCKETS } from '../core/model/roles.ts';
import type { StageConfig } from './config.ts';
import { nameOf, RESOURCES, stackName } from './names.ts';
import { declareOutputs } from './outputs.ts';
import type { StorageOutputs } from './outputs.ts';
import { bucketOnlyByTls, policy } from './policy.ts';
import { StageStack } from './stack.ts';
import type { StageProps } from './stack.ts';

/** An accidental deletion can be undone for this long. Making every video again would take days. */
const DELETED_VIDEO_DAYS = 7;

/** A bucket of the stage, or an existing one. */
export interface Bucket {
  readonly name: string;
  readonly arn: string;
  /** `name.s3.region.amazonaws.com` */
  readonly domainName: string;
}

/** The CORS rule of the source bucket. The studio's page uploads parts to addresses that the studio's server signs. */
export const STUDIO_UPLOADS = {
  allowedOrigins: ['http://127.0.0.1:*', 'http://localhost:*'],
  allowedMethods: ['PUT'],
  allowedHeaders: ['content-type'],
  exposeHeaders: ['ETag'],
  maxAgeSeconds: 3600,
};

/** Four buckets and the image repository. */
export class StorageStack extends StageStack {
  readonly sourceBucket: Bucket;
  readonly workBucket: Bucket;
  readonly deliveryBucket: Bucket;
  /** The CDN's access logs. */
  readonly logBucket: Bucket;
  readonly repository: EcrRepository;

  constructor(scope: Construct, props: StageProps) {
    super(scope, stackName(props.config.name, 'storage'), props);
    const { retention, accessMode } = this.config;
    const oldVersions = (id: string, noncurrentDays: number) =>
      rule(id, {
        noncurrentVersionExpiration: [{ noncurrentDays }],
        expiration: [{ expiredObjectDeleteMarker: true }],
      });
    // An upload with the same name must not destroy the original.
    this.sourceBucket = this.bucket(BUCKETS.source, {
      versioned: true,
      rules: [oldVersions('old-sources', retention.oldSources)],
    });
    new S3BucketCorsConfiguration(this, 'source-cors', {
      bucket: this.sourceBucket.name,
      corsRule: [STUDIO_UPLOADS],
    });
    this.workBucket = this.bucket(BUCKETS.work, {
      rules: [rule('expired-work', { expiration: [{ days: retention.work }] })],
    });
    this.deliveryBucket = this.bucket(BUCKETS.delivery, {
      versioned: true,
      allowsPublicPolicy: accessMode !== 'cdn-only',
      hasPolicyElsewhere: true,
      rules: [oldVersions('old-videos', DELETED_VIDEO_DAYS)],
    });
    this.logBucket = this.bucket('logs', {
      hasPolicyElsewhere: true,
      rules: [rule('old-logs', { expiration: [{ days: retention.logs }] })],
    });
    this.repository = this.imageRepository();
    declareOutputs<StorageOutputs>(this, {
      sourceBucket: this.sourceBucket.name,
      workBucket: this.workBucket.name,
      deliveryBucket: this.deliveryBucket.name,
      logBucket: this.logBucket.name,
      repositoryUrl: this.repository.repositoryUrl,
    });
  }

  private bucket(role: keyof StageConfig['existingBuckets'], options: BucketOptions): Bucket {
    const existing = this.config.existingBuckets[role];
    const { name, retention } = this.config;
    const bucket = existing
      ? new DataAwsS3Bucket(this, role, { bucket: existing })
      : new PrivateBucket(this, role, {
          // AWS appends a suffix that makes the name globally unique.
          bucketPrefix: `${nameOf(name, role)}-`,
          ...options,
          rules: [
            rule('abandoned-uploads', {
              abortIncompleteMultipartUpload: [{ daysAfterInitiation: retention.abandonedUploads }],
            }),
            ...(options.rules ?? []),
          ],
        }).bucket;
    return { name: bucket.id, arn: bucket.arn, domainName: bucket.bucketRegionalDomainName };
  }

  private imageRepository(): EcrRepository {
    const repository = new EcrRepository(this, 'worker-images', {
      name: nameOf(this.config.name, RESOURCES.worker),
      // A tag contains a hash of the content, so it never names another image.
      imageTagMutability: 'IMMUTABLE',
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfiguration: [{ encryptionType: 'AES256' }],
    });
    new EcrLifecyclePolicy(this, 'worker-images-lifecycle', {
      repository: repository.name,
      policy: JSON.stringify({
        rules: [
          {
            rulePriority: 1,
            description: 'What lost its tag, or never had one',
            selection: {
              tagStatus: 'untagged',
              countType: 'sinceImagePushed',
              countUnit: 'days',
              countNumber: 1,
            },
            action: { type: 'expire' },
          },
          {
            rulePriority: 2,
            description: 'All but the newest ten, to go back to',
            selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 10 },
            action: { type: 'expire' },
          },
        ],
      }),
    });
    return repository;
  }
}

interface BucketOptions {
  /** Keeps versions that are overwritten or deleted. Default: false. */
  readonly versioned?: boolean;
  /** Lets a bucket policy make it public. ACLs never can. Default: false. */
  readonly allowsPublicPolicy?: boolean;
  /** Another stack declares the bucket policy, with readers or writers. Default: false. */
  readonly hasPolicyElsewhere?: boolean;
  /** Rejects plans that would destroy it. Default: false. */
  readonly isKept?: boolean;
  readonly rules?: readonly S3BucketLifecycleConfigurationRule[];
}

type PrivateBucketProps = BucketOptions &
  ({ readonly bucketPrefix: string } | { readonly bucket: string });

/** An encrypted bucket that is private unless a bucket policy says otherwise, and that requires TLS. */
export class PrivateBucket extends Construct {
  readonly bucket: S3Bucket;

  constructor(scope: Construct, id: string, props: PrivateBucketProps) {
    super(scope, id);
    const { versioned = false, allowsPublicPolicy = false, rules = [] } = props;
    const { hasPolicyElsewhere = false, isKept = false } = props;
    this.bucket = new S3Bucket(this, 'bucket', {
      ...('bucket' in props ? { bucket: props.bucket } : { bucketPrefix: props.bucketPrefix }),
      ...(isKept ? { lifecycle: { preventDestroy: true } } : {}),
    });
    const bucket = this.bucket.id;
    if (!hasPolicyElsewhere) {
      new S3BucketPolicy(this, 'policy', {
        bucket,
        policy: policy(bucketOnlyByTls(this.bucket.arn)),
      });
    }
    new S3BucketPublicAccessBlock(this, 'public-access', {
      bucket,
      blockPublicAcls: true,
      ignorePublicAcls: true,
      blockPublicPolicy: !allowsPublicPolicy,
      restrictPublicBuckets: !allowsPublicPolicy,
    });
    new S3BucketOwnershipControls(this, 'ownership', {
      bucket,
      rule: { objectOwnership: 'BucketOwnerEnforced' },
    });
    new S3BucketServerSideEncryptionConfigurationA(this, 'encryption', {
      bucket,
      rule: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
    });
    const versioning = versioned
      ? new S3BucketVersioningA(this, 'versioning', {
          bucket,
          versioningConfiguration: { status: 'Enabled' },
        })
      : undefined;
    if (rules.length === 0) return;
    new S3BucketLifecycleConfiguration(this, 'lifecycle', {
      bucket,
      rule: [...rules],
      ...(versioning ? { dependsOn: [versioning] } : {}),
    });
  }
}

/** A lifecycle rule for the whole bucket. */
export function rule(
  id: string,
  actions: Partial<S3BucketLifecycleConfigurationRule>,
): S3BucketLifecycleConfigurationRule {
  return { id, status: 'Enabled', filter: [{ prefix: '' }], ...actions };
}
