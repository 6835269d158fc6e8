import { createLog } from '../../core/log.ts';
import type { Logger } from '../../core/log.ts';

/** Returns a log for an edge, and the responses for videos that the edge writes to it, oldest first: `200 v/…`. */
export function recordResponses(): { readonly responses: string[]; readonly log: Logger } {
  const responses: string[] = [];
  const log = Object.assign(createLog('silent'), {
    debug: ({ path, status }: { readonly path: string; readonly status: number }) => {
      if (/^\/[vt]\//.test(path)) responses.push(`${status} ${path.slice(1)}`);
    },
  });
  return { responses, log };
}
