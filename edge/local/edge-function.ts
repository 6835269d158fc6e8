import { createHash, createHmac } from 'node:crypto';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { fileURLToPath } from 'node:url';
import { createContext, Script } from 'node:vm';
import { buildSync } from 'esbuild';
import { z } from 'zod';
import type { EdgeEvent } from '../event.ts';
import type { Digest, install } from './globals.ts';
import type { Reply } from '../../core/http/reply.ts';

/** The request goes on to the cache and the origin, or is answered at once. */
export type EdgeAnswer =
  | { readonly kind: 'request'; readonly uri: string }
  | { readonly kind: 'reply'; readonly reply: Reply };

export type EdgeFunction = (event: EdgeEvent) => EdgeAnswer;

/** A real function has under a millisecond; here two cores may be busy with encoders. */
const TIME_LIMIT_MILLISECONDS = 1000;

const headersSchema = z.record(
  z.string().regex(/^[^A-Z]+$/),
  z.object({ value: z.string(), multiValue: z.array(z.object({ value: z.string() })).optional() }),
);

const answerSchema = z.union([
  z.object({
    statusCode: z.number().int().min(200).max(599),
    headers: headersSchema.default({}),
    body: z.string().optional(),
  }),
  z.object({
    method: z.string(),
    uri: z.string().startsWith('/'),
    querystring: z.record(z.string(), z.unknown()),
    headers: headersSchema,
  }),
]);

/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html */
const DISALLOWED =
  /^(connection|expect|keep-alive|proxy-(authenticate|authorization|connection)|trailer|upgrade|x-accel-.*|x-amz-cf-.*|x-amzn-.*|x-cache|x-edge-.*|x-forwarded-proto|x-real-ip)$/;
const READ_ONLY = ['content-length', 'host', 'transfer-encoding', 'via'];

/**
 * Loads a CloudFront Function; what it returns runs it. Nothing goes in or out but JSON, and text to be
 * hashed. The clock, in milliseconds, is looked at once for each run. A function that throws or takes too
 * long answers 503, one that answers what CloudFront refuses 502. Throws what the source throws when it
 * is loaded.
 */
export function loadEdgeFunction(source: string, clock: () => number = Date.now): EdgeFunction {
  const sandbox = Object.assign(Object.create(null) as object, {
    ...{ eventText: '', answered: false, answerText: undefined },
  });
  const context = createContext(sandbox, {
    codeGeneration: { strings: false, wasm: false },
    // What a handler awaits is done before its run ends.
    microtaskMode: 'afterEvaluate',
  });
  const run = (script: Script): unknown =>
    script.runInContext(context, { timeout: TIME_LIMIT_MILLISECONDS });
  globals ??= bundleGlobals();
  const setClock = (run(globals) as typeof install)(digest);
  run(new Script(`"use strict";\n${source}`, { filename: 'edge-function.js' }));
  return (event) => {
    Object.assign(sandbox, { eventText: JSON.stringify(event), answered: false });
    try {
      setClock(clock());
      run(CALL);
    } catch {
      return refused(503);
    }
    if (!sandbox.answered) return refused(503);
    return readAnswer(sandbox.answerText, event) ?? refused(502);
  };
}

/** Nothing is answered when the handler throws; the answer has no text when it returns nothing. */
const CALL = new Script(`(async () => JSON.stringify(await handler(JSON.parse(eventText))))().then(
  (text) => { answerText = text; answered = true; },
  () => undefined,
);`);

let globals: Script | undefined;

function bundleGlobals(): Script {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL('globals.ts', import.meta.url))],
    ...{ bundle: true, write: false, format: 'cjs', platform: 'browser', target: 'es2022' },
  });
  const code = outputFiles[0]?.text ?? '';
  return new Script(`(function (module) { ${code}; return module.exports.install; })({})`);
}

const digest: Digest = (algorithm, bytes, key) => {
  const hash =
    key === undefined ? createHash(algorithm) : createHmac(algorithm, Buffer.from(key, 'base64'));
  return hash.update(bytes, 'base64').digest('base64');
};

/** What a function returned, as JSON; undefined where CloudFront refuses it. */
export function readAnswer(text: unknown, { request }: EdgeEvent): EdgeAnswer | undefined {
  const answer = answerSchema.safeParse(typeof text === 'string' ? JSON.parse(text) : undefined);
  if (!answer.success) return undefined;
  const names = Object.keys(answer.data.headers);
  if ('uri' in answer.data) {
    const { method, uri, headers } = answer.data;
    const kept = READ_ONLY.every((name) => headers[name]?.value === request.headers[name]?.value);
    const added = names.filter((name) => !Object.hasOwn(request.headers, name));
    const allowed = !added.some((name) => DISALLOWED.test(name));
    return kept && allowed && method === request.method ? { kind: 'request', uri } : undefined;
  }
  const { statusCode, headers, body } = answer.data;
  if (names.some((name) => DISALLOWED.test(name) || READ_ONLY.includes(name))) return undefined;
  const values = Object.fromEntries(
    Object.entries(headers).map(([name, { value, multiValue }]) => [
      name,
      (multiValue ?? [{ value }]).map((one) => one.value).join(', '),
    ]),
  );
  if (!sendable(values)) return undefined;
  const reply = { status: statusCode, headers: values };
  return { kind: 'reply', reply: body === undefined ? reply : { ...reply, body } };
}

function sendable(headers: Readonly<Record<string, string>>): boolean {
  try {
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
    return true;
  } catch {
    return false;
  }
}

function refused(status: 502 | 503): EdgeAnswer {
  return { kind: 'reply', reply: { status, headers: { 'cache-control': 'no-store' } } };
}
