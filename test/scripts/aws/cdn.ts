import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { deliver } from '../../../edge/local/delivery.ts';
import type { Delivery } from '../../../edge/local/delivery.ts';
import { answerRequests, closeServer, listen } from '../../../core/http/listen.ts';
import type { Reply } from '../../../core/http/reply.ts';
import type { Edge } from '../../../edge/local/server.ts';
import { createLog } from '../../../core/log.ts';

/** A distribution on a port of loopback. `changed` may answer otherwise. */
export async function startCdn(
  delivery: Delivery,
  changed: (reply: Reply, request: IncomingMessage) => Reply = (reply) => reply,
): Promise<Edge> {
  const server = createServer();
  const answer = async (request: IncomingMessage) =>
    changed(await deliver(delivery, request), request);
  const port = await listen(server, 0);
  answerRequests(server, answer, createLog('silent'));
  return { origin: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}
