import { isDeepStrictEqual } from 'node:util';
import {
  CloudFrontClient,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  DescribeFunctionCommand,
  GetFunctionCommand,
  NoSuchFunctionExists,
  TestFunctionCommand,
  UnsupportedOperation,
  UpdateFunctionCommand,
} from '@aws-sdk/client-cloudfront';
import { z } from 'zod';
import { inParallel } from '../../core/storage/in-parallel.ts';
import { casesAt, RULES } from '../../edge/cases.ts';
import type { Case } from '../../edge/cases.ts';
import type { EdgeEvent } from '../../edge/event.ts';
import { readAnswer } from '../../edge/local/edge-function.ts';
import type { EdgeAnswer } from '../../edge/local/edge-function.ts';
import { programOf, viewerRequestSource } from '../../edge/source.ts';
import type { StageConfig } from '../../infra/config.ts';
import { nameOf, RESOURCES } from '../../infra/names.ts';
import { EDGE_REGION } from '../../infra/stack.ts';

/** The outcome of the table of cases (edge/cases.ts) in CloudFront's own engine. */
export interface Trial {
  readonly cases: number;
  /** Cases whose answer differed from the expected one, with that answer. */
  readonly different: readonly string[];
  /** The longest run, as a percentage of the compute time that CloudFront allows. */
  readonly maxPercent: number;
}

/** The largest difference between the clocks of AWS and this machine that the cases tolerate. */
const LEEWAY_SECONDS = 600;
const CONCURRENCY = 4;

/** CloudFront passes no other characters to a function, so cases with them are only for the other engines. */
const SENDABLE = /^[ -~]*$/;

/**
 * Runs the table of cases with CloudFront's TestFunction, on a separate function that is never published and is deleted
 * afterwards. Undefined if this CloudFront has no TestFunction, like the emulator.
 * https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_TestFunction.html
 */
export async function tryEdgeFunction(
  { name }: StageConfig,
  stop: AbortSignal,
): Promise<Trial | undefined> {
  const client = openClient();
  const cases = casesAt(Date.now(), LEEWAY_SECONDS).filter(({ event }) =>
    SENDABLE.test(Object.values(event.request.headers).map(allValues).join('') + event.request.uri),
  );
  const different: string[] = [];
  let maxPercent = 0;
  try {
    for (const [rule, declared] of Object.entries(RULES)) {
      const version = await putFunction(client, name, viewerRequestSource(declared));
      await inParallel(
        cases.filter((one) => one.rule === rule),
        CONCURRENCY,
        async (one) => {
          stop.throwIfAborted();
          const { difference, percent } = await runCase(client, name, version, one);
          if (difference !== undefined) different.push(`${one.about}: ${difference}`);
          maxPercent = Math.max(maxPercent, percent);
        },
      );
    }
    return { cases: cases.length, different, maxPercent };
  } catch (error) {
    if (error instanceof UnsupportedOperation) return undefined;
    throw error;
  } finally {
    await deleteFunction(client, name);
    client.destroy();
  }
}

/** Whether the published edge function differs from this version's, apart from its settings. */
export async function isEdgeFunctionChanged({ name }: StageConfig): Promise<boolean> {
  const client = openClient();
  try {
    const asked = { Name: nameOf(name, RESOURCES.edgeFunction), Stage: 'LIVE' } as const;
    const { FunctionCode = new Uint8Array() } = await client.send(new GetFunctionCommand(asked));
    const ours = viewerRequestSource(RULES.closed);
    return programOf(Buffer.from(FunctionCode).toString()) !== programOf(ours);
  } catch (error) {
    if (error instanceof NoSuchFunctionExists) return true;
    throw error;
  } finally {
    client.destroy();
  }
}

/** Deletes the function that a killed trial has left. */
export async function removeTrial(stage: string): Promise<void> {
  const client = openClient();
  await deleteFunction(client, stage).finally(() => client.destroy());
}

/** Describes the differences: the first three, and how many there are. */
export function trialSentence({ cases, different }: Trial): string {
  const shown = different.slice(0, 3).join('\n  ');
  const more = different.length > 3 ? `\n  and ${different.length - 3} more` : '';
  return `CloudFront answers ${different.length} of ${cases} cases of the edge function differently:\n  ${shown}${more}`;
}

const testOutput = z.union([
  z.object({ request: z.record(z.string(), z.unknown()) }).transform(({ request }) => request),
  z
    .object({ response: z.record(z.string(), z.unknown()) })
    .transform(({ response }) => ({ ...response, body: bodyText(response['body']) })),
]);

const encodedBody = z.object({ encoding: z.enum(['text', 'base64']), data: z.string() });

/** Reads the FunctionOutput of TestFunction. Undefined for neither a request nor a response. */
export function readTestOutput(text: string): EdgeAnswer | undefined {
  const output = testOutput.parse(JSON.parse(text));
  return readAnswer(JSON.stringify(output));
}

/** A body is a string, or an object with its encoding and data. */
function bodyText(body: unknown): unknown {
  const encoded = encodedBody.safeParse(body);
  if (!encoded.success) return body;
  const { encoding, data } = encoded.data;
  return encoding === 'text' ? data : Buffer.from(data, 'base64').toString();
}

async function runCase(
  client: CloudFrontClient,
  stage: string,
  version: string,
  { event, answer: expected }: Case,
): Promise<{ readonly difference: string | undefined; readonly percent: number }> {
  const { TestResult = {} } = await client.send(
    new TestFunctionCommand({
      Name: trialName(stage),
      IfMatch: version,
      Stage: 'DEVELOPMENT',
      EventObject: Buffer.from(JSON.stringify(event)),
    }),
  );
  const { FunctionErrorMessage, FunctionOutput = '', ComputeUtilization = '0' } = TestResult;
  const percent = Number(ComputeUtilization);
  if (FunctionErrorMessage) return { difference: FunctionErrorMessage, percent };
  const answer = readTestOutput(FunctionOutput);
  const isRight = isDeepStrictEqual(answer, expected);
  return { difference: isRight ? undefined : JSON.stringify(answer ?? FunctionOutput), percent };
}

/** Puts a source into the trial's function, even one that an earlier trial left, and returns its version. */
async function putFunction(
  client: CloudFrontClient,
  stage: string,
  source: string,
): Promise<string> {
  const Name = trialName(stage);
  const content = {
    FunctionConfig: { Comment: 'Never published: a trial', Runtime: 'cloudfront-js-2.0' as const },
    FunctionCode: Buffer.from(source),
  };
  const before = await versionOf(client, stage);
  if (before === undefined) await client.send(new CreateFunctionCommand({ Name, ...content }));
  else await client.send(new UpdateFunctionCommand({ Name, IfMatch: before, ...content }));
  const version = await versionOf(client, stage);
  if (version === undefined) throw new Error(`CloudFront names no version of ${Name}.`);
  return version;
}

async function deleteFunction(client: CloudFrontClient, stage: string): Promise<void> {
  const IfMatch = await versionOf(client, stage);
  if (IfMatch === undefined) return;
  await client.send(new DeleteFunctionCommand({ Name: trialName(stage), IfMatch }));
}

/** Undefined if the function does not exist. */
async function versionOf(client: CloudFrontClient, stage: string): Promise<string | undefined> {
  try {
    const asked = new DescribeFunctionCommand({ Name: trialName(stage), Stage: 'DEVELOPMENT' });
    return (await client.send(asked)).ETag;
  } catch (error) {
    if (error instanceof NoSuchFunctionExists) return undefined;
    throw error;
  }
}

/** The client repeats throttled calls at a falling rate, as CloudFront limits the calls of an account. */
function openClient(): CloudFrontClient {
  return new CloudFrontClient({ region: EDGE_REGION, retryMode: 'adaptive', maxAttempts: 10 });
}

/** The name of the trial's function. */
export function trialName(stage: string): string {
  return nameOf(stage, 'edge-trial');
}

function allValues({ value, multiValue = [] }: EdgeEvent['request']['headers'][string]): string {
  return [value, ...multiValue.map((one) => one.value)].join('');
}
