import { once } from 'node:events';
import { request as byHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as byHttps } from 'node:https';
import { buffer } from 'node:stream/consumers';
import type { ProbeResponse, ProbeRequest } from './smoke-probes.ts';

const TIMEOUT_MILLISECONDS = 20_000;

/**
 * Requests an address exactly as written, with these headers alone, and follows no redirect. fetch would decompress the
 * body and drop `Origin`. Throws the system's error if there is no answer.
 */
export async function sendRequest(
  { url, method = 'GET', headers = {} }: ProbeRequest,
  stop: AbortSignal,
): Promise<ProbeResponse> {
  const send = url.startsWith('https:') ? byHttps : byHttp;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MILLISECONDS)]);
  const sent = send(url, { method, headers: { ...headers }, agent: false, signal });
  sent.end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const body = await buffer(answer);
  const values = Object.entries(answer.headersDistinct).map(
    ([name, all = []]) => [name, all.join(', ')] as const,
  );
  return { status: answer.statusCode ?? 0, headers: Object.fromEntries(values), body };
}
