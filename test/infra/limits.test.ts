import { expect, test } from 'vitest';
import { stage } from '../../infra/config.ts';
import { limitsOf } from '../../infra/limits.ts';

const mine = stage({ name: 'mine', region: 'eu-central-1', allowedSites: ['https://my.site'] });

test('There is no warning if the account has room for the cache policies of a stage', () => {
  expect(limitsOf(mine, 17).warnings).toEqual([]);
});

test('There is only a warning if it has no room, because AWS may have raised the quota', () => {
  expect(limitsOf(mine, 18).warnings).toEqual([
    expect.stringMatching(
      /^With 18 cache policies of CloudFront there is no room for 3 more, unless/,
    ),
  ]);
});

test('The needs name the vCPUs of all workers', () => {
  expect(limitsOf(mine, 0).needs).toContain('for 10 workers at once 20 vCPUs of Fargate, 80 % of');
});
