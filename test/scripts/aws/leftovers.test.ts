import { expect, test } from 'vitest';
import { stage } from '../../../infra/config.ts';
import { findResources } from '../../../scripts/aws/leftovers.ts';
import { describeWithEmulator, useEmulator } from '../../aws/emulator.ts';
import { untagged } from './untagged.ts';

const ACCOUNT = '123456789012';

describeWithEmulator('Leftovers of a stage', () => {
  const config = (name: string) =>
    stage({ name, region: 'eu-central-1', allowedSites: ['https://my.site'] });
  useEmulator();

  test('An empty account has no leftovers', async () => {
    expect(await findResources(config('mine'))).toEqual([]);
  });

  test('Resources outside the tag index are found by name', async () => {
    await untagged('mine');
    await untagged('mine2');
    expect(await findResources(config('mine'))).toEqual([
      'CloudFront cache policy vodstack-mine-versions',
      'CloudFront function vodstack-mine-viewer-request',
      'CloudFront origin access control vodstack-mine-delivery',
      'CloudFront response headers policy vodstack-mine-response-headers',
      `arn:aws:cloudwatch::${ACCOUNT}:dashboard/vodstack-mine-overview`,
      `arn:aws:cloudwatch:eu-central-1:${ACCOUNT}:alarm:vodstack-mine-dead-letters`,
      `arn:aws:iam::${ACCOUNT}:role/vodstack-mine-task`,
    ]);
  });
});
