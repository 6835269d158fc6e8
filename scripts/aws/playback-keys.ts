import { randomUUID } from 'node:crypto';
import { PutParameterCommand } from '@aws-sdk/client-ssm';
import type { SSMClient } from '@aws-sdk/client-ssm';
import { edgeKeysParameter, playbackKeyParameter } from '../../infra/names.ts';
import { readParameter } from './parameters.ts';

/** Reads the key that signs a stage's addresses. Undefined if the stage has no playback tokens. */
export function readPlaybackKey(ssm: SSMClient, stage: string): Promise<string | undefined> {
  return readParameter(ssm, playbackKeyParameter(stage));
}

/**
 * Generates a new key, which the next deploy takes to the edge beside the current one. Addresses are signed with it only
 * after that (infra/delivery.ts). Returns false if the stage has no playback tokens. Throws Error while the previous new
 * key has not been deployed.
 */
export async function rotatePlaybackKey(ssm: SSMClient, stage: string): Promise<boolean> {
  const name = edgeKeysParameter(stage);
  const [key, keys] = await Promise.all([readPlaybackKey(ssm, stage), readParameter(ssm, name)]);
  if (key === undefined || keys === undefined) return false;
  if (keys.split(' ')[0] !== key) {
    throw new Error(
      `The key that was drawn last is not at the edge yet: run ./scripts/deploy ${stage} first. ` +
        'Another one now would end every address that is out.',
    );
  }
  const drawn = `${randomUUID()}-${randomUUID()}`;
  await ssm.send(
    new PutParameterCommand({
      Name: name,
      Value: `${drawn} ${key}`,
      Type: 'SecureString',
      Overwrite: true,
    }),
  );
  return true;
}
