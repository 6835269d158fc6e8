import { request as byHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as byHttps } from 'node:https';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import type { ProbeResponse, ProbeRequest } from './smoke-probes.ts';

const PATIENCE_MILLISECONDS = 20_000;

/**
 * Asks for an address as it is written, with these headers alone, and follows no redirection. fetch would undo
 * the compression, and leave out `Origin`. Throws the system's error where nobody answers.
 */
export async function sendRequest(
  { url, method = 'GET', headers = {} }: ProbeRequest,
  stop: AbortSignal,
): Promise<ProbeResponse> {
  const send = url.startsWith('https:') ? byHttps : byHttp;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(PATIENCE_MILLISECONDS)]);
  const sent = send(url, { method, headers: { ...headers }, agent: false, signal });
  sent.end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const body = await buffer(answer);
  const values = Object.entries(answer.headersDistinct).map(
    ([name, all = []]) => [name, all.join(', ')] as const,
  );
  return { status: answer.statusCode ?? 0, headers: Object.fromEntries(values), body };
}
