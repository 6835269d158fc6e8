import type { StageConfig } from './config.ts';

/** Objections to the deploy of a stage, in sentences. */
export interface Readiness {
  /** A deploy stops with these before it changes anything. */
  readonly refusals: readonly string[];
  /** A deploy prints these and continues. */
  readonly warnings: readonly string[];
}

/** Domains that are reserved for documentation: https://www.rfc-editor.org/rfc/rfc2606#section-3 */
const RESERVED = /(^|[./])example\.(com|net|org)\.?(:\d+)?$/i;

/** Settings that a protected stage needs, and what happens without each. */
const NEEDED = {
  alarmEmail: 'nobody gets its alarms',
  monthlyBudgetUsd: 'nobody is warned about costs',
  state: "Terraform's state is in files on one machine only",
  accountId: 'it is deployed to the account of the credentials, whichever that is',
} as const satisfies Partial<Record<keyof StageConfig, string>>;

const FIELDS = Object.keys(NEEDED) as (keyof typeof NEEDED)[];

/** Checks, from its configuration alone, whether a stage may be deployed. */
export function readinessOf(config: StageConfig): Readiness {
  const { name, allowedSites, domain } = config;
  const examples = [...allowedSites, domain?.name ?? ''].filter((one) => RESERVED.test(one));
  const borrowed = examples.map(
    (one) =>
      `Stage ${name} names ${one}, which is reserved for examples. Name a site of your own in infra/config.ts.`,
  );
  const missing = FIELDS.filter((field) => config[field] === undefined);
  const lacks = missing.map((field) => `${field} (without it, ${NEEDED[field]})`).join(', ');
  const incomplete =
    missing.length > 0 ? [`Stage ${name} lacks ${lacks}. See infra/config.ts.`] : [];
  return config.protected
    ? { refusals: [...borrowed, ...incomplete], warnings: [] }
    : { refusals: borrowed, warnings: incomplete };
}
