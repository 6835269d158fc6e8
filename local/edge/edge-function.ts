import { randomUUID } from 'node:crypto';
import { createContext, Script } from 'node:vm';
import { z } from 'zod';

/** The request as a CloudFront Function sees it: names of headers in lower case, repeated ones kept. */
export interface EdgeRequest {
  readonly method: string;
  /** Without the query, and still encoded. */
  readonly uri: string;
  readonly headers: Readonly<Record<string, EdgeHeader>>;
}

export interface EdgeHeader {
  readonly value: string;
  readonly multiValue?: readonly { readonly value: string }[];
}

/** The request goes on to the cache and the origin, or is answered at once. */
export type EdgeAnswer =
  | { readonly kind: 'request'; readonly uri: string }
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
    };

/** A real function has under a millisecond; here two cores may be busy with encoders. */
const TIME_LIMIT_MILLISECONDS = 1000;

const answerSchema = z.union([
  z.object({
    statusCode: z.number().int().min(200).max(599),
    headers: z.record(z.string(), z.object({ value: z.string() })).default({}),
  }),
  z.object({ method: z.string(), uri: z.string().startsWith('/') }),
]);

/** Headers that CloudFront sets itself; a function that does is refused. */
const RESERVED =
  /^(connection|via|content-length|transfer-encoding|x-cache|x-amz-cf-.*|x-edge-.*)$/i;

/**
 * Loads a CloudFront Function; what it returns runs it. Nothing goes in or out but JSON. A function
 * that throws or takes too long answers 503, one that answers nonsense 502, as at CloudFront.
 */
export function loadEdgeFunction(source: string): (request: EdgeRequest) => EdgeAnswer {
  const context = createContext(Object.create(null) as object, {
    codeGeneration: { strings: false, wasm: false },
  });
  new Script(`"use strict";\n${source}`).runInContext(context, {
    timeout: TIME_LIMIT_MILLISECONDS,
  });
  return (request) => {
    const event = JSON.stringify({
      version: '1.0',
      context: { eventType: 'viewer-request', requestId: randomUUID() },
      viewer: { ip: '127.0.0.1' },
      request: { querystring: {}, cookies: {}, ...request },
    });
    let text: unknown;
    try {
      text = new Script(`JSON.stringify(handler(${event}))`).runInContext(context, {
        timeout: TIME_LIMIT_MILLISECONDS,
      });
    } catch {
      return failed(503);
    }
    const answer = answerSchema.safeParse(typeof text === 'string' ? JSON.parse(text) : undefined);
    if (!answer.success) return failed(502);
    if ('uri' in answer.data) {
      const { method, uri } = answer.data;
      return method === request.method ? { kind: 'request', uri } : failed(502);
    }
    const { statusCode, headers } = answer.data;
    if (Object.keys(headers).some((name) => RESERVED.test(name))) return failed(502);
    const values = Object.entries(headers).map(([name, { value }]) => [name, value] as const);
    return { kind: 'response', status: statusCode, headers: Object.fromEntries(values) };
  };
}

/** Node's raw list of names and values as the function's headers. */
export function edgeHeaders(raw: readonly string[]): Readonly<Record<string, EdgeHeader>> {
  const values = new Map<string, string[]>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]?.toLowerCase() ?? '';
    values.set(name, [...(values.get(name) ?? []), raw[index + 1] ?? '']);
  }
  return Object.fromEntries(
    [...values].map(([name, [value = '', ...others]]) => {
      const multiValue = [value, ...others].map((one) => ({ value: one }));
      return [name, others.length > 0 ? { value, multiValue } : { value }];
    }),
  );
}

function failed(status: number): EdgeAnswer {
  return { kind: 'response', status, headers: { 'cache-control': 'no-store' } };
}
