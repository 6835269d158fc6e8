import { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js';
import { S3Backend, TerraformStack } from 'cdktf';
import type { Construct } from 'constructs';
import type { StageConfig } from './config.ts';
import { tagsOf } from './names.ts';

export interface StageProps {
  readonly config: StageConfig;
  /** Of a service that is like AWS, for tests: AWS_ENDPOINT_URL, which the provider reads itself. */
  readonly endpoint: string | undefined;
}

/** CloudFront's certificates, firewalls, logs and metrics are in this region, wherever the stage is. */
export const EDGE_REGION = 'us-east-1';

/** One concern of one stage: its provider, its tags and its state. */
export class StageStack extends TerraformStack {
  protected readonly config: StageConfig;
  private readonly endpoint: string | undefined;
  private edge: AwsProvider | undefined;

  constructor(scope: Construct, id: string, { config, endpoint }: StageProps) {
    super(scope, id);
    this.config = config;
    this.endpoint = endpoint;
    this.declareProvider('aws', config.region);
    if (config.state) keepState(this, config.state.bucket, config.region, endpoint);
  }

  /** For what belongs to the edge rather than to the stage's region. */
  protected atTheEdge(): AwsProvider {
    return (this.edge ??= this.declareProvider('aws-edge', EDGE_REGION, 'edge'));
  }

  private declareProvider(id: string, region: string, alias?: string): AwsProvider {
    const { name, accountId } = this.config;
    return new AwsProvider(this, id, {
      region,
      ...(alias ? { alias } : {}),
      ...(accountId ? { allowedAccountIds: [accountId] } : {}),
      defaultTags: [{ tags: tagsOf(name) }],
      ...(this.endpoint ? EMULATED : {}),
    });
  }
}

/** Without these the provider looks for AWS itself; and an error is tried again for a quarter of an hour. */
const EMULATED = {
  s3UsePathStyle: true,
  skipCredentialsValidation: true,
  skipMetadataApiCheck: 'true',
  skipRegionValidation: true,
  maxRetries: 2,
} as const;

function keepState(
  stack: TerraformStack,
  bucket: string,
  region: string,
  endpoint: string | undefined,
): void {
  new S3Backend(stack, {
    bucket,
    key: `${stack.node.id}.tfstate`,
    region,
    encrypt: true,
    ...(endpoint
      ? {
          endpoints: { s3: endpoint },
          usePathStyle: true,
          skipCredentialsValidation: true,
          skipMetadataApiCheck: true,
          skipRegionValidation: true,
          skipRequestingAccountId: true,
        }
      : {}),
  });
  // Terraform locks in the bucket itself since 1.10; the types do not know it.
  stack.addOverride('terraform.backend.s3.use_lockfile', true);
}
