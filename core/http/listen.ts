import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../log.ts';
import { sendReply } from './reply.ts';
import type { Reply } from './reply.ts';

/** After this long without any traffic a connection is closed, and the file that it was reading. */
const IDLE_MILLISECONDS = 120_000;

/** Answers each request with the result of `answer`. If it throws, the error is logged, and the client gets a 500. */
export function answerRequests(
  server: Server,
  answer: (request: IncomingMessage) => Promise<Reply>,
  log: Logger,
): void {
  server.on('request', (request, response) => {
    const { method, url = '' } = request;
    // Logged without the query, which can hold a signature.
    const [path] = url.split('?', 1);
    response.once('close', () =>
      log.debug({ event: 'edge.answered', method, path, status: response.statusCode }),
    );
    answer(request)
      .then((reply) => sendReply(reply, request, response))
      .catch((error: unknown) => {
        log.error({ event: 'edge.failed', method, path, err: error });
        if (!response.headersSent) response.writeHead(500, { 'cache-control': 'no-store' });
        response.end();
      });
  });
  server.on('error', (error) => log.error({ event: 'edge.failed', err: error }));
  server.setTimeout(IDLE_MILLISECONDS);
}

/** Reasons why a port is not available, by the system's error code. */
const REFUSALS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken',
  EACCES: 'is for administrators only',
};

/**
 * Listens on the loopback address, and returns the port. Port 0 takes any free one. Throws Error when the port is not
 * available.
 */
export async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      const why = REFUSALS[error.code ?? ''];
      const sentence = `Port ${port} ${why}. Choose another with --port, or 0 for any free one.`;
      reject(why === undefined ? error : new Error(sentence, { cause: error }));
    };
    server.once('error', onError);
    server.listen(port, '127.0.0.1', () => {
      server.removeListener('error', onError);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

/** Closes a server and its connections at once, even in the middle of a reply. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
