import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { STAGES } from '../../infra/config.ts';
import { synthesise } from '../../infra/main.ts';

const imports = z.object({
  import: z.array(z.object({ to: z.string(), id: z.string() })).optional(),
});

test('Terraform imports adopted resources that the stacks declare, and no others', () => {
  const outdir = mkdtempSync(join(tmpdir(), 'vodstack-adopted-'));
  const adopted = [
    { type: 'aws_iam_role', name: 'vodstack-dev-task', id: 'vodstack-dev-task' },
    { type: 'aws_cloudfront_cache_policy', name: 'vodstack-dev-versions', id: 'E1' },
    { type: 'aws_iam_role', name: 'vodstack-dev-unknown', id: 'vodstack-dev-unknown' },
  ];
  const stages = STAGES.filter(({ name }) => name === 'dev');
  synthesise(stages, { outdir, adopted });
  const of = (stack: string) => {
    const path = join(outdir, 'stacks', `dev-${stack}`, 'cdk.tf.json');
    return imports.parse(JSON.parse(readFileSync(path, 'utf8'))).import;
  };
  expect(of('compute')).toEqual([
    { to: expect.stringMatching(/^aws_iam_role\./) as string, id: 'vodstack-dev-task' },
  ]);
  expect(of('delivery')).toEqual([{ to: 'aws_cloudfront_cache_policy.cache-versions', id: 'E1' }]);
  for (const stack of ['storage', 'queues', 'watching']) expect(of(stack)).toBeUndefined();
});
