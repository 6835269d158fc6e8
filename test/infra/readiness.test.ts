import { describe, expect, test } from 'vitest';
import { stage, STAGES } from '../../infra/config.ts';
import { readinessOf } from '../../infra/readiness.ts';
import { FULL } from './stages.ts';

const LACKS_ALL =
  'lacks alarmEmail (without it, nobody gets its alarms), monthlyBudgetUsd (without it, nobody is ' +
  "warned about costs), state (without it, Terraform's state is in files on one machine only), " +
  'accountId (without it, it is deployed to the account of the credentials, whichever that is). See infra/config.ts.';

const shipped = (name: string) => {
  const found = STAGES.find((one) => one.name === name);
  if (!found) throw new Error(`There is no stage ${name}.`);
  return found;
};

describe('A stage', () => {
  test('The shipped stage dev is ready, with a warning of the settings that it lacks', () => {
    expect(readinessOf(shipped('dev'))).toEqual({
      refusals: [],
      warnings: [`Stage dev ${LACKS_ALL}`],
    });
  });

  test.each([
    ['staging', ['https://staging.example.com']],
    ['prod', ['https://www.example.com', 'https://example.com']],
  ])('The shipped stage %s is refused because of its example sites', (name, sites) => {
    const { refusals } = readinessOf(shipped(name));
    expect(refusals.slice(0, sites.length)).toEqual(
      sites.map(
        (site) =>
          `Stage ${name} names ${site}, which is reserved for examples. Name a site of your own in infra/config.ts.`,
      ),
    );
  });

  test.each([
    'http://example.net',
    'https://example.org:8443',
    'https://*.example.com',
    'https://a.b.Example.ORG',
    'https://example.com.',
  ])('A stage with the reserved site %s is refused', (site) => {
    expect(readinessOf({ ...FULL, allowedSites: [site] }).refusals).toHaveLength(1);
  });

  test.each(['https://my-example.com', 'https://example.com.site.dev', 'https://example.coma'])(
    'A stage with the site %s is ready',
    (site) => {
      expect(readinessOf({ ...FULL, allowedSites: [site] }).refusals).toEqual([]);
    },
  );

  test('A stage with a reserved domain is refused', () => {
    const domain = { name: 'cdn.example.com', certificateArn: 'arn' };
    expect(readinessOf({ ...FULL, domain }).refusals).toEqual([
      'Stage full names cdn.example.com, which is reserved for examples. Name a site of your own in infra/config.ts.',
    ]);
  });

  test('A protected stage is refused without each of the needed settings', () => {
    const mine = stage({
      name: 'mine',
      region: 'eu-west-1',
      allowedSites: ['https://my.site'],
      protected: true,
    });
    expect(readinessOf(mine)).toEqual({ refusals: [`Stage mine ${LACKS_ALL}`], warnings: [] });
    const { alarmEmail: _, ...silent } = { ...FULL, protected: true };
    expect(readinessOf(silent).refusals).toEqual([
      'Stage full lacks alarmEmail (without it, nobody gets its alarms). See infra/config.ts.',
    ]);
    expect(readinessOf({ ...FULL, protected: true })).toEqual({ refusals: [], warnings: [] });
  });
});
