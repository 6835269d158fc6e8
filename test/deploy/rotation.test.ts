import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requestWith } from '../../edge/event.ts';
import { loadEdgeFunction } from '../../edge/local/edge-function.ts';
import { signAddress } from '../../edge/playback-token.ts';
import { stage } from '../../infra/config.ts';
import { edgeKeysParameter, nameOf } from '../../infra/names.ts';
import { readPlaybackKey, rotatePlaybackKey } from '../../scripts/aws/playback-keys.ts';
import { useEmulator, whyNoEmulator } from '../aws/emulator.ts';
import { synth } from '../infra/synth.ts';
import { terraform, whyNoTerraform } from './terraform.ts';

const why = whyNoTerraform() ?? whyNoEmulator;
const STATE = 'tokens-states';
const TOKENS = stage({
  name: 'tokens',
  region: 'eu-central-1',
  allowedSites: ['https://site.example', 'https://*.site.example'],
  playbackTokens: true,
  state: { bucket: STATE },
});
const ADDRESS = 'https://cdn.example/v/0123456789abcdef0123/index.m3u8';

// Two minutes: the provider waits for what it has made of buckets.
describe.skipIf(why)(`The keys of playback tokens${why ? ` (skipped: ${why})` : ''}`, () => {
  const emulator = useEmulator();
  let ssm: SSMClient;
  /** Runs Terraform in the stack that has the CDN. */
  let delivery: (...argv: readonly string[]) => Promise<string>;

  beforeAll(async () => {
    ssm = new SSMClient();
    const s3 = new S3Client({ forcePathStyle: true });
    const here = { LocationConstraint: 'eu-central-1' } as const;
    await s3.send(new CreateBucketCommand({ Bucket: STATE, CreateBucketConfiguration: here }));
    s3.destroy();
    const stacks = synth([TOKENS], emulator.endpoint);
    const of = (stack: string) => (argv: readonly string[]) =>
      terraform(stacks.get(stack)?.directory ?? '', argv);
    const storage = of('tokens-storage');
    const cdn = of('tokens-delivery');
    delivery = (...argv) => cdn(argv);
    await Promise.all([storage, cdn].map((run) => run(['init', '-input=false'])));
    await storage(['apply', '-auto-approve']);
    await delivery('apply', '-auto-approve');
  });

  afterAll(() => ssm.destroy());

  /** An address signed with the key that there is now, for longer than the tests take on a busy machine. */
  async function sign(): Promise<string> {
    const key = await readPlaybackKey(ssm, 'tokens');
    if (key === undefined) throw new Error('There is no key.');
    return signAddress(ADDRESS, key, 24 * 3600);
  }

  /** Whether the function that is deployed lets an app fetch it. */
  async function opens(address: string): Promise<boolean> {
    const path = `2020-05-31/function/${nameOf('tokens', 'viewer-request')}`;
    const code = await (await fetch(`${emulator.endpoint}/${path}`)).text();
    const { pathname: url } = new URL(address);
    return loadEdgeFunction(code)(requestWith([], { url })).kind === 'request';
  }

  test('The keys are generated once', async () => {
    expect(await opens(await sign())).toBe(true);
    expect(await delivery('plan')).toContain('No changes.');
  });

  test('The next deploy rotates the keys: signed addresses stay valid, and no output shows a key', async () => {
    const before = await sign();
    expect(await rotatePlaybackKey(ssm, 'tokens')).toBe(true);
    expect(await opens(await sign())).toBe(true);

    const said = await delivery('apply', '-auto-approve');
    const modified = said.match(/^aws_[\w.-]+(?=: Modifications complete)/gm);
    expect(modified).toEqual([
      'aws_cloudfront_function.viewer-request',
      'aws_ssm_parameter.playback-key',
    ]);
    const asked = { Name: edgeKeysParameter('tokens'), WithDecryption: true };
    const { Parameter } = await ssm.send(new GetParameterCommand(asked));
    const keys = Parameter?.Value?.split(' ') ?? [];
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(said).not.toContain(key);

    const after = await sign();
    expect([await opens(before), await opens(after)]).toEqual([true, true]);
    expect(await delivery('plan')).toContain('No changes.');

    await rotatePlaybackKey(ssm, 'tokens');
    await delivery('apply', '-auto-approve');
    expect([await opens(before), await opens(after)]).toEqual([false, true]);
  });
});
