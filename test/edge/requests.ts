import { viewerRequestEvent } from '../../local/edge/event.ts';
import type { EdgeEvent } from '../../local/edge/event.ts';

/** The event of a request with these headers, as pairs: one name may come twice. */
export function requestWith(
  headers: readonly (readonly [name: string, value: string])[],
  { method = 'GET', url = '/v/0123456789abcdef0123/index.m3u8' } = {},
): EdgeEvent {
  const rawHeaders = [['Host', 'cdn.example'], ...headers].flat();
  return viewerRequestEvent({ method, url, rawHeaders, requestId: 'one' });
}
