import { randomUUID } from 'node:crypto';
import { PutParameterCommand } from '@aws-sdk/client-ssm';
import type { SSMClient } from '@aws-sdk/client-ssm';
import { edgeKeysParameter, playbackKeyParameter } from '../../infra/names.ts';
import { readParameter } from './parameters.ts';

/** The key that a stage's addresses are signed with; undefined where the stage has no tokens. */
export function readPlaybackKey(ssm: SSMClient, stage: string): Promise<string | undefined> {
  return readParameter(ssm, playbackKeyParameter(stage));
}

/**
 * Draws a new key for the next deploy to bring to the edge, beside the one that is signed with now; only
 * then is it signed with (infra/delivery.ts). Returns whether it did: not where the stage has no tokens.
 * Throws Error while the last one that was drawn waits for its deploy.
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
      ...{ Name: name, Value: `${drawn} ${key}`, Type: 'SecureString', Overwrite: true },
    }),
  );
  return true;
}
