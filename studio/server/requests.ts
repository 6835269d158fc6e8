import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';

/** A request that is answered with a status of 400 or above and a sentence. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Enough for ten thousand parts, each with its number and ETag. */
const MAX_BODY_BYTES = 2 ** 20;

/** Reads a request's JSON. Throws RequestError, which names every wrong field. */
export async function readBody<Value>(
  request: IncomingMessage,
  schema: z.ZodType<Value>,
): Promise<Value> {
  const body = await readBytes(request, MAX_BODY_BYTES);
  const result = schema.safeParse(parseJson(body.toString('utf8')));
  if (result.success) return result.data;
  const wrong = result.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  throw new RequestError(400, `The request is not valid: ${wrong.join('; ')}.`);
}

/** Reads a request's body. Throws RequestError 413 when it is longer than `maxBytes`. */
export async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new RequestError(413, `This is more than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestError(400, 'The request is not JSON.');
  }
}
