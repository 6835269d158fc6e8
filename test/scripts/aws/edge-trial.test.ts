import {
  CloudFrontClient,
  CreateFunctionCommand,
  ListFunctionsCommand,
} from '@aws-sdk/client-cloudfront';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { viewerRequestSource } from '../../../edge/source.ts';
import { stage } from '../../../infra/config.ts';
import { nameOf } from '../../../infra/names.ts';
import {
  isEdgeFunctionChanged,
  readTestOutput,
  removeTrial,
  trialSentence,
  tryEdgeFunction,
} from '../../../scripts/aws/edge-trial.ts';
import { describeWithEmulator, useEmulator } from '../../aws/emulator.ts';
import { startRelay } from '../../aws/relay.ts';
import { testFunction } from './test-function.ts';

const config = stage({
  name: 'mine',
  region: 'eu-central-1',
  allowedSites: ['https://my.site'],
});

describeWithEmulator("The edge function in CloudFront's engine", () => {
  const stop = new AbortController().signal;
  const emulator = useEmulator();
  let cloudFront: CloudFrontClient;
  const opened: (() => Promise<void>)[] = [];
  beforeAll(() => {
    cloudFront = new CloudFrontClient({ endpoint: emulator.endpoint });
  });
  afterAll(() => cloudFront.destroy());
  afterEach(async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', emulator.endpoint);
    for (const close of opened.splice(0)) await close();
  });

  /** Starts a CloudFront with TestFunction, whose answers `changed` may replace. */
  async function withTestFunction(changed?: Parameters<typeof testFunction>[1]): Promise<void> {
    const instead = testFunction(emulator.endpoint, changed);
    const relay = await startRelay(emulator.endpoint, () => undefined, instead);
    opened.push(() => relay.close());
    vi.stubEnv('AWS_ENDPOINT_URL', relay.address);
  }

  async function names(): Promise<readonly (string | undefined)[]> {
    const { FunctionList } = await cloudFront.send(new ListFunctionsCommand());
    return (FunctionList?.Items ?? []).map(({ Name }) => Name);
  }

  const make = (role: string, code: string) =>
    cloudFront.send(
      new CreateFunctionCommand({
        Name: nameOf('mine', role),
        FunctionConfig: { Comment: '', Runtime: 'cloudfront-js-2.0' },
        FunctionCode: Buffer.from(code),
      }),
    );

  test('The edge function answers every case that a viewer can send, and the trial leaves nothing', async () => {
    await make('edge-trial', 'function handler() {}');
    await withTestFunction();
    const trial = await tryEdgeFunction(config, stop);
    expect(trial).toEqual({ cases: expect.any(Number) as number, different: [], maxPercent: 21 });
    expect(trial?.cases).toBeGreaterThan(250);
    expect(await names()).toEqual([]);
  });

  test('A trial reports each case with another answer or an error', async () => {
    await withTestFunction((output, { request }) => {
      if (request.method === 'HEAD') return new Error('x is not a function');
      return request.method === 'OPTIONS'
        ? output.replace('"value":"7200"', '"value":"0"')
        : output;
    });
    const trial = await tryEdgeFunction(config, stop);
    expect(trial?.different).toHaveLength(5);
    expect(trial?.different).toContain('closed: HEAD another origin: x is not a function');
    const changed = trial?.different.find((one) =>
      one.includes('a preflight of an allowed origin'),
    );
    expect(changed).toContain('"access-control-max-age":"0"');
    expect(trial && trialSentence(trial)).toContain('\n  and 2 more');
  });

  test('Teardown removes the function of a killed trial', async () => {
    await make('edge-trial', 'function handler() {}');
    await removeTrial('mine');
    await removeTrial('mine');
    expect(await names()).toEqual([]);
  });

  test('No trial runs without TestFunction', async () => {
    expect(await tryEdgeFunction(config, stop)).toBeUndefined();
    expect(await names()).toEqual([]);
  });

  test('The edge function counts as changed if it is not deployed or its program differs, whatever its sites', async () => {
    expect(await isEdgeFunctionChanged(config)).toBe(true);
    const source = viewerRequestSource({ allowedSites: ['https://x.site'], allowNoContext: true });
    await make('viewer-request', source);
    expect(await isEdgeFunctionChanged(config)).toBe(false);
    const older = stage({ ...config, name: 'older' });
    await cloudFront.send(
      new CreateFunctionCommand({
        Name: nameOf('older', 'viewer-request'),
        FunctionConfig: { Comment: '', Runtime: 'cloudfront-js-2.0' },
        FunctionCode: Buffer.from(source.replace('405', '400')),
      }),
    );
    expect(await isEdgeFunctionChanged(older)).toBe(true);
  });
});

test('A body is a string, or an object with its encoding', () => {
  const read = (body: unknown) =>
    readTestOutput(JSON.stringify({ response: { statusCode: 403, headers: {}, body } }));
  const expected = { kind: 'reply', reply: { status: 403, headers: {}, body: 'no' } };
  expect(read('no')).toEqual(expected);
  expect(read({ encoding: 'text', data: 'no' })).toEqual(expected);
  expect(read({ encoding: 'base64', data: 'bm8=' })).toEqual(expected);
});
