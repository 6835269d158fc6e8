import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** The reply to a request. A stream must be read or destroyed. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Readable | Uint8Array | string;
}

/**
 * Sends a reply, without its body for HEAD. Throws when the body cannot be read, but not when the client disconnects.
 */
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
    // Players often disconnect in the middle of a segment.
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'))
      throw error;
  } finally {
    body.destroy();
  }
}
