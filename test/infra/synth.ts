import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Adopted } from '../../infra/adopted.ts';
import type { StageConfig } from '../../infra/config.ts';
import { synthesise } from '../../infra/main.ts';

export type Resource = Readonly<Record<string, unknown>>;

/** A synthesised stack. */
export interface Stack {
  readonly name: string;
  readonly directory: string;
  /** Names of the stacks that it depends on. */
  readonly dependencies: readonly string[];
  readonly warnings: readonly string[];
  readonly terraform: Resource;
  readonly provider: readonly Resource[];
  readonly outputs: readonly string[];
  /** Resources of a type, by their names. */
  all(type: string): Readonly<Record<string, Resource>>;
  /** The only resource of a type. */
  one(type: string): Resource;
}

const block = z.record(z.string(), z.unknown());

const configuration = z.object({
  terraform: block,
  provider: z.object({ aws: z.array(block) }),
  output: z.record(z.string(), z.unknown()).default({}),
  resource: z.record(z.string(), z.record(z.string(), block)),
  data: z.record(z.string(), z.record(z.string(), block)).default({}),
});

const manifest = z.object({
  stacks: z.record(
    z.string(),
    z.object({
      dependencies: z.array(z.string()),
      annotations: z.array(z.object({ message: z.string() })),
    }),
  ),
});

/** Synthesises stages into a new folder and reads the result. */
export function synth(
  stages: readonly StageConfig[],
  endpoint?: string,
  adopted: Adopted = [],
): ReadonlyMap<string, Stack> {
  const outdir = mkdtempSync(join(tmpdir(), 'vodstack-synth-'));
  synthesise(stages, { outdir, endpoint, adopted });
  const { stacks } = manifest.parse(readJson(join(outdir, 'manifest.json')));
  const names = readdirSync(join(outdir, 'stacks'));
  return new Map(names.map((name) => [name, readStack(outdir, name, stacks[name])]));
}

function readStack(
  outdir: string,
  name: string,
  listed: z.infer<typeof manifest>['stacks'][string] | undefined,
): Stack {
  const directory = join(outdir, 'stacks', name);
  const { terraform, provider, output, resource, data } = configuration.parse(
    readJson(join(directory, 'cdk.tf.json')),
  );
  const all = (type: string) =>
    (type.startsWith('data.') ? data[type.slice(5)] : resource[type]) ?? {};
  return {
    name,
    directory,
    dependencies: listed?.dependencies ?? [],
    warnings: listed?.annotations.map(({ message }) => message) ?? [],
    terraform,
    provider: provider.aws,
    outputs: Object.keys(output).filter((key) => !key.startsWith('cross-stack-output')),
    all,
    one: (type) => {
      const [only, ...others] = Object.values(all(type));
      if (!only || others.length > 0) throw new Error(`${name} has not exactly one ${type}.`);
      return only;
    },
  };
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

const oneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

const policySchema = z.object({
  Statement: z.array(
    z.object({
      Sid: z.string().optional(),
      Effect: z.string(),
      Principal: z.unknown().optional(),
      Action: oneOrMore,
      Resource: oneOrMore.default([]),
      Condition: z.unknown().optional(),
    }),
  ),
});

/** Parses a JSON document inside a resource. References that Terraform resolves later are still `${…}`. */
export function embedded(text: unknown): unknown {
  const filled = z
    .string()
    .parse(text)
    .replaceAll(/\$\{[^}]*\}/g, (reference) => reference.replaceAll('"', "'"));
  return JSON.parse(filled);
}

export function statements(policy: unknown): z.infer<typeof policySchema>['Statement'] {
  return policySchema.parse(embedded(policy)).Statement;
}
