import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { drawOriginSecret } from '../../../scripts/aws/origin-secret.ts';
import { originSecretParameter } from '../../../infra/names.ts';
import { describeWithEmulator, startEmulator } from '../../aws/emulator.ts';
import type { Emulator } from '../../aws/emulator.ts';

describeWithEmulator('The secret that the CDN sends to the bucket', () => {
  const Name = originSecretParameter('mine');
  let emulator: Emulator;
  let ssm: SSMClient;
  beforeAll(async () => {
    emulator = await startEmulator();
    for (const [name, value] of Object.entries(emulator.env)) vi.stubEnv(name, value);
    ssm = new SSMClient();
  });
  afterAll(async () => {
    ssm.destroy();
    vi.unstubAllEnvs();
    await emulator.stop();
  });

  const read = async () => {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
    return { secrets: Parameter?.Value?.split(' ') ?? [], type: Parameter?.Type };
  };

  test('is not drawn for a stage that has none.', async () => {
    await expect(drawOriginSecret(ssm, 'mine')).rejects.toThrow('Stage mine has no origin secret.');
  });

  test.each([
    ['a pair, as a deploy draws it', 'now before'],
    ['one, as older versions drew it', 'now'],
  ])('is followed by another, with which it stays good: %s.', async (_, Value) => {
    await ssm.send(new PutParameterCommand({ Name, Value, Type: 'SecureString', Overwrite: true }));
    await drawOriginSecret(ssm, 'mine');
    expect(await read()).toEqual({
      secrets: [expect.stringMatching(/^[0-9a-f-]{73}$/) as unknown, 'now'],
      type: 'SecureString',
    });
  });
});
