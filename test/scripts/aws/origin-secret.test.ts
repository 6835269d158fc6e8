import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { originSecretParameter } from '../../../infra/names.ts';
import { drawOriginSecret } from '../../../scripts/aws/origin-secret.ts';
import { describeWithEmulator, useEmulator } from '../../aws/emulator.ts';

describeWithEmulator('The secret that the CDN sends to the bucket', () => {
  const Name = originSecretParameter('mine');
  useEmulator();
  let ssm: SSMClient;
  beforeAll(() => {
    ssm = new SSMClient();
  });
  afterAll(() => ssm.destroy());

  const read = async () => {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
    return { secrets: Parameter?.Value?.split(' ') ?? [], type: Parameter?.Type };
  };

  test('A stage without an origin secret gets none', async () => {
    await expect(drawOriginSecret(ssm, 'mine')).rejects.toThrow('Stage mine has no origin secret.');
  });

  test.each([
    ['a pair, as a deploy draws it', 'now before'],
    ['one, as older versions drew it', 'now'],
  ])('A new origin secret keeps the newest previous one valid: %s', async (_, Value) => {
    await ssm.send(new PutParameterCommand({ Name, Value, Type: 'SecureString', Overwrite: true }));
    await drawOriginSecret(ssm, 'mine');
    expect(await read()).toEqual({
      secrets: [expect.stringMatching(/^[0-9a-f-]{73}$/) as unknown, 'now'],
      type: 'SecureString',
    });
  });
});
