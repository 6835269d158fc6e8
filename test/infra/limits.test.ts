import { expect, test } from 'vitest';
import { stage } from '../../infra/config.ts';
import { limitsOf } from '../../infra/limits.ts';

const mine = stage({ name: 'mine', region: 'eu-central-1', allowedSites: ['https://my.site'] });

test('An account with room for the cache policies of a stage is not warned.', () => {
  expect(limitsOf(mine, 17).warnings).toEqual([]);
});

test('One without is warned, as AWS may have raised the limit.', () => {
  expect(limitsOf(mine, 18).warnings).toEqual([
    expect.stringMatching(
      /^With 18 cache policies of CloudFront there is no room for 3 more, unless/,
    ),
  ]);
});

test('The processors of all workers at once are told.', () => {
  expect(limitsOf(mine, 0).needs).toContain('for 10 workers at once 20 vCPUs of Fargate, 80 % of');
});
