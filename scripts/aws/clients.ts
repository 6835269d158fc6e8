import { ECRClient } from '@aws-sdk/client-ecr';
import { ECSClient } from '@aws-sdk/client-ecs';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { StageConfig } from '../../infra/config.ts';
import { needsPathStyle } from '../../core/storage/aws/backend.ts';

export interface Clients {
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly ecr: ECRClient;
  readonly ecs: ECSClient;
}

/** AWS in the stage's region, with credentials as the SDK finds them. */
export function openClients({ region }: StageConfig): Clients {
  return {
    s3: new S3Client({
      region,
      forcePathStyle: needsPathStyle(),
      // The bucket of the state stays where it was made, also when the stage names another region.
      followRegionRedirects: true,
    }),
    sqs: new SQSClient({ region }),
    ecr: new ECRClient({ region }),
    ecs: new ECSClient({ region }),
  };
}
