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
import { casesAt, RULES } from '../../edge/cases.ts';
import type { Case } from '../../edge/cases.ts';
import type { EdgeEvent } from '../../edge/event.ts';
import { programOf, viewerRequestSource } from '../../edge/source.ts';
import type { StageConfig } from '../../infra/config.ts';
import { nameOf, RESOURCES } from '../../infra/names.ts';
import { EDGE_REGION } from '../../infra/stack.ts';
import { readAnswer } from '../../edge/local/edge-function.ts';
import type { EdgeAnswer } from '../../edge/local/edge-function.ts';
import { inParallel } from '../../core/storage/in-parallel.ts';

/** The outcome of the table of cases (edge/cases.ts) in CloudFront's own engine. */
export interface Trial {
  readonly cases: number;
  /** Cases that were answered differently, with the answer. */
  readonly different: readonly string[];
  /** The longest run, in percent of the time that CloudFront allows. */
  readonly maxPercent: number;
}

/** AWS's clock, or this machine's, may be off by this much. */
const LEEWAY_SECONDS = 600;
const CONCURRENCY = 4;

/** A request with other characters never reaches a function: cases with them are for the other engines. */
const SENDABLE = /^[ -~]*$/;

/**
 * Runs the table of cases by CloudFront's TestFunction, on a function of its own that is never published, and
 * deletes that function. Returns undefined where this CloudFront has no TestFunction, as the emulator.
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

/** Whether the edge function that viewers meet is another program than this one, apart from its settings. */
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

/** Deletes what a trial that was killed has left. */
export async function removeTrial(stage: string): Promise<void> {
  const client = openClient();
  await deleteFunction(client, stage).finally(() => client.destroy());
}

/** The differences as a person reads them: the first few, and how many there are. */
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

/** A body is a text, or says how it is encoded. */
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
      ...{ Name: trialName(stage), IfMatch: version, Stage: 'DEVELOPMENT' },
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

/** Puts a source into the function of the trial, also into one that an earlier trial left; returns its version. */
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

/** Undefined where there is none. */
async function versionOf(client: CloudFrontClient, stage: string): Promise<string | undefined> {
  try {
    const asked = new DescribeFunctionCommand({ Name: trialName(stage), Stage: 'DEVELOPMENT' });
    return (await client.send(asked)).ETag;
  } catch (error) {
    if (error instanceof NoSuchFunctionExists) return undefined;
    throw error;
  }
}

/** Calls beyond CloudFront's rate for an account are made again, ever slower. */
function openClient(): CloudFrontClient {
  return new CloudFrontClient({ region: EDGE_REGION, retryMode: 'adaptive', maxAttempts: 10 });
}

/** The name of the function that a trial makes. */
export function trialName(stage: string): string {
  return nameOf(stage, 'edge-trial');
}

function allValues({ value, multiValue = [] }: EdgeEvent['request']['headers'][string]): string {
  return [value, ...multiValue.map((one) => one.value)].join('');
}
