import { CreateRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { STAGES } from '../../../infra/config.ts';
import { imageMonth } from '../../../infra/image.ts';
import { nameOf } from '../../../infra/names.ts';
import { imageEdition } from '../../../scripts/aws/image.ts';
import { describeWithEmulator, useEmulator } from '../../aws/emulator.ts';
import { pushByHand } from '../../deploy/image.ts';

describeWithEmulator("A stage's image", () => {
  const now = new Date('2026-11-28T06:12:30Z');
  useEmulator();
  let ecr: ECRClient;
  beforeAll(() => {
    ecr = new ECRClient();
  });
  afterAll(() => ecr.destroy());

  async function edition(rebuild = false): Promise<string> {
    const [dev] = STAGES;
    if (dev === undefined) throw new Error('There is no stage dev.');
    return imageEdition(ecr, dev, rebuild, now);
  }

  test("The edition is the month's, until the same content was rebuilt in that month", async () => {
    const month = imageMonth();
    expect(await edition()).toBe(month);
    await ecr.send(new CreateRepositoryCommand({ repositoryName: nameOf('dev', 'worker') }));
    await pushByHand('dev');
    expect(await edition()).toBe(month);
    const built = async (edition: string, architecture?: 'ARM64') => {
      vi.stubEnv('VODSTACK_IMAGE_MONTH', edition);
      await pushByHand('dev', architecture);
      vi.stubEnv('VODSTACK_IMAGE_MONTH', undefined);
    };
    await built(`${month}-03T10-00`);
    await built(`${month}-20T09-30`);
    await built('2001-01-31T10-00');
    await built(`${month}-30T09-30`, 'ARM64');
    expect(await edition()).toBe(`${month}-20T09-30`);
  });

  test('A rebuilt image is named by the minute', async () => {
    expect(await edition(true)).toBe('2026-11-28T06-12');
  });
});
