import { randomUUID } from 'node:crypto';
import { PutParameterCommand } from '@aws-sdk/client-ssm';
import type { SSMClient } from '@aws-sdk/client-ssm';
import { originSecretParameter } from '../../infra/names.ts';
import { readParameter } from './parameters.ts';

/**
 * Draws a new secret for the next deploy to bring to the bucket and then to the CDN; the one before stays good
 * beside it. Throws Error where the stage has none.
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
