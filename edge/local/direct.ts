import { createServer } from 'node:http';
import type { Logger } from '../../core/log.ts';
import { visibleTo } from './bucket.ts';
import type { GuardedBucket } from './bucket.ts';
import { answerRequests, closeServer, listen } from '../../core/http/listen.ts';
import { badAddress, readObject } from './origin.ts';
import type { Edge } from './server.ts';

/**
 * The delivery bucket's own address, past the edge, on any free port of loopback: whom its access mode
 * lets read there. Nobody but the CDN can sign, so nobody is taken for it.
 */
export async function startDirectOrigin(bucket: GuardedBucket, log: Logger): Promise<Edge> {
  const server = createServer();
  const port = await listen(server, 0);
  answerRequests(
    server,
    async ({ url = '/', headers }) => {
      const key = decodePath(url.split('?', 1)[0] ?? '/');
      if (key === undefined) return badAddress();
      const seen = visibleTo({ signedByCdn: false, referer: headers.referer }, bucket);
      return readObject(seen, bucket.name, key, headers);
    },
    log,
  );
  return { origin: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}

/** The key of a path; undefined where it is encoded wrongly. */
function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path.slice(1));
  } catch {
    return undefined;
  }
}
