import { createServer } from 'node:http';
import { answerRequests, closeServer, listen } from '../../core/http/listen.ts';
import type { Logger } from '../../core/log.ts';
import { readObject } from '../../edge/local/origin.ts';
import type { Edge } from '../../edge/local/server.ts';
import { visibleTo } from './guarded-bucket.ts';
import type { GuardedBucket } from './guarded-bucket.ts';

/** Serves the delivery bucket's own address on a free port of loopback. Requests bypass the CDN and are unsigned. */
export async function startDirectOrigin(bucket: GuardedBucket, log: Logger): Promise<Edge> {
  const server = createServer();
  const port = await listen(server, 0);
  answerRequests(
    server,
    async ({ url = '/', headers }) => {
      const key = decodePath(url.split('?', 1)[0] ?? '/');
      if (key === undefined) return { status: 400, headers: {} };
      const visible = visibleTo({ signedByCdn: false, referer: headers.referer }, bucket);
      return readObject(visible, bucket.name, key, headers);
    },
    log,
  );
  return { origin: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}

/** The key in a path. Undefined for an invalid percent-encoding. */
function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path.slice(1));
  } catch {
    return undefined;
  }
}
