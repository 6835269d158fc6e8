import { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js';
import { S3Backend, TerraformStack } from 'cdktf';
import type { Construct } from 'constructs';
import type { StageConfig } from './config.ts';
import { tagsOf } from './names.ts';

export interface StageProps {
  readonly config: StageConfig;
  /** AWS_ENDPOINT_URL, of an emulator of AWS in tests. The provider reads the variable itself. */
  readonly endpoint: string | undefined;
}

/** The region of CloudFront's certificates, firewalls, logs and metrics, wherever the stage is. */
export const EDGE_REGION = 'us-east-1';

/** The base of a stage's stacks: provider, tags and state. */
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

  /** The provider for resources of the CDN, which are not in the stage's region. */
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

/** Without these the provider would contact AWS itself, and retry errors for a quarter of an hour. */
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
  // Since 1.10 Terraform can lock the state in the bucket itself. cdktf's types lack the option.
  stack.addOverride('terraform.backend.s3.use_lockfile', true);
}
