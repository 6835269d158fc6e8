import { ECRClient } from '@aws-sdk/client-ecr';
import { ECSClient } from '@aws-sdk/client-ecs';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { needsPathStyle } from '../../core/storage/aws/backend.ts';
import type { StageConfig } from '../../infra/config.ts';

export interface Clients {
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly ecr: ECRClient;
  readonly ecs: ECSClient;
}

/** Opens clients for the stage's region, with the credentials that the SDK finds. */
export function openClients({ region }: StageConfig): Clients {
  return {
    s3: new S3Client({
      region,
      forcePathStyle: needsPathStyle(),
      // The state's bucket stays in the region where it was created, even if the stage's region changes.
      followRegionRedirects: true,
    }),
    sqs: new SQSClient({ region }),
    ecr: new ECRClient({ region }),
    ecs: new ECSClient({ region }),
  };
}
