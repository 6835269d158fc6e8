import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** An answer on its way to the viewer. A stream is read once, or destroyed. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Readable | Uint8Array | string;
}

/** Sends it, without the body for HEAD. Throws when the body cannot be read; not when the viewer goes away. */
export async function sendReply(
  { status, headers, body }: Reply,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!(body instanceof Readable)) {
    response.writeHead(status, headers).end(body);
    return;
  }
  try {
    response.writeHead(status, headers);
    if (request.method === 'HEAD') response.end();
    else await pipeline(body, response);
  } catch (error) {
    // Viewers go away in the middle of a segment all the time.
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'))
      throw error;
  } finally {
    body.destroy();
  }
}
