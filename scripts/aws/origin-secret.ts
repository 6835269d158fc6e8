import { randomUUID } from 'node:crypto';
import { PutParameterCommand } from '@aws-sdk/client-ssm';
import type { SSMClient } from '@aws-sdk/client-ssm';
import { originSecretParameter } from '../../infra/names.ts';
import { readParameter } from './parameters.ts';

/**
 * Generates a new secret, which the next deploy takes to the bucket and then to the CDN. The previous one stays valid
 * beside it. Throws Error if the stage has no origin secret.
 */
export async function drawOriginSecret(ssm: SSMClient, stage: string): Promise<void> {
  const Name = originSecretParameter(stage);
  const [newest] = (await readParameter(ssm, Name))?.split(' ') ?? [];
  if (newest === undefined) {
    throw new Error(
      `Stage ${stage} has no origin secret. One that is deployed with accessMode public-read-via-cdn has.`,
    );
  }
  const Value = `${randomUUID()}-${randomUUID()} ${newest}`;
  await ssm.send(new PutParameterCommand({ Name, Value, Type: 'SecureString', Overwrite: true }));
}
