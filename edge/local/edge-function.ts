import { createHmac } from 'node:crypto';
import { createContext, runInContext, Script } from 'node:vm';
import { z } from 'zod';
import type { Reply } from '../../core/http/reply.ts';
import type { EdgeEvent } from '../event.ts';

/** The request continues to the cache and the origin, or the function answers it. */
export type EdgeAnswer =
  | { readonly kind: 'request'; readonly uri: string }
  | { readonly kind: 'reply'; readonly reply: Reply };

export type EdgeFunction = (event: EdgeEvent) => EdgeAnswer;

/** CloudFront allows less than a millisecond; here, encoders may keep every core busy. */
const TIMEOUT_MILLISECONDS = 1000;

const headersSchema = z.record(
  z.string().regex(/^[^A-Z]+$/),
  z.object({ value: z.string(), multiValue: z.array(z.object({ value: z.string() })).optional() }),
);

const answerSchema = z.union([
  z.object({
    statusCode: z.int().min(200).max(599),
    headers: headersSchema.default({}),
    body: z.string().optional(),
  }),
  z.object({ method: z.string(), uri: z.string().startsWith('/'), headers: headersSchema }),
]);

const CALL = new Script('JSON.stringify(handler(JSON.parse(eventText)))');

/**
 * Loads a CloudFront Function and returns it as a function of events. This is no imitation of CloudFront's
 * engine: the tests run the same source in njs, which knows as little JavaScript as CloudFront does, and a
 * deploy runs it in CloudFront's TestFunction. A function that throws or takes too long answers 503, and one
 * that returns neither a request nor a response 502. `clock` returns milliseconds. Throws SyntaxError for a
 * source that cannot be parsed.
 */
export function loadEdgeFunction(source: string, clock: () => number = Date.now): EdgeFunction {
  const sandbox = { require: requireModule, eventText: '' };
  const context = createContext(sandbox);
  (runInContext('Date', context) as DateConstructor).now = clock;
  const program = new Script(`"use strict";\n${source}`, { filename: 'edge-function.js' });
  program.runInContext(context);
  return (event) => {
    sandbox.eventText = JSON.stringify(event);
    let answer: unknown;
    try {
      answer = CALL.runInContext(context, { timeout: TIMEOUT_MILLISECONDS });
    } catch {
      return errorAnswer(503);
    }
    return readAnswer(answer) ?? errorAnswer(502);
  };
}

function requireModule(name: string): object {
  if (name !== 'crypto') throw new Error(`There is no module ${name} here.`);
  return { createHmac };
}

/** Reads what a function returned, as JSON. Undefined for neither a request nor a response. */
export function readAnswer(json: unknown): EdgeAnswer | undefined {
  const answer = answerSchema.safeParse(typeof json === 'string' ? JSON.parse(json) : undefined);
  if (!answer.success) return undefined;
  if ('uri' in answer.data) return { kind: 'request', uri: answer.data.uri };
  const { statusCode: status, headers, body } = answer.data;
  const values = Object.fromEntries(
    Object.entries(headers).map(([name, { value, multiValue }]) => [
      name,
      (multiValue ?? [{ value }]).map((one) => one.value).join(', '),
    ]),
  );
  return {
    kind: 'reply',
    reply: { status, headers: values, ...(body === undefined ? {} : { body }) },
  };
}

function errorAnswer(status: 502 | 503): EdgeAnswer {
  return { kind: 'reply', reply: { status, headers: { 'cache-control': 'no-store' } } };
}
