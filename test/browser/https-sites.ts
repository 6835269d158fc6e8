import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { answerRequests, closeServer, listen } from '../../core/http/listen.ts';
import type { Reply } from '../../core/http/reply.ts';
import { createLog } from '../../core/log.ts';
import type { Cdn } from '../edge/cdn.ts';
import { openBrowser } from './browser.ts';

const HLS = fileURLToPath(import.meta.resolve('hls.js/dist/hls.min.js'));

/** A response of a CDN. */
export interface CdnResponse {
  readonly host: string;
  readonly path: string;
  readonly status: number;
  readonly cache: string | undefined;
}

/** Sites and CDNs with host names and TLS. Without TLS, browsers send fewer headers about the origin of a request. */
export interface HttpsSites {
  readonly browser: Browser;
  /** The responses of the CDNs since this array was last emptied. */
  readonly responses: CdnResponse[];
  close(): Promise<void>;
}

/**
 * Opens a browser that resolves every `https://….example` to this process. It answers as the CDN with that host name,
 * or else as a site whose only page loads hls.js and has the referrer policy of its query.
 */
export async function openHttpsSites(cdns: ReadonlyMap<string, Cdn>): Promise<HttpsSites> {
  const responses: CdnResponse[] = [];
  const server = createServer(selfSigned());
  const answer = async (request: IncomingMessage): Promise<Reply> => {
    const { host = '' } = request.headers;
    const cdn = cdns.get(host);
    if (!cdn) return sitePage(request);
    const reply = await cdn.answer(request);
    const { status, headers } = reply;
    responses.push({ host, path: request.url ?? '', status, cache: headers['x-cache'] });
    return reply;
  };
  answerRequests(server, answer, createLog('silent'));
  const port = await listen(server, 0);
  const browser = await openBrowser([
    `--host-resolver-rules=MAP *.example 127.0.0.1:${port}`,
    '--ignore-certificate-errors',
  ]);
  return {
    browser,
    responses,
    close: async () => {
      await browser.close();
      await closeServer(server);
    },
  };
}

function sitePage({ url = '/' }: IncomingMessage): Reply {
  const { pathname, searchParams } = new URL(url, 'https://site.example');
  if (pathname === '/hls.js') {
    return { status: 200, headers: { 'content-type': 'text/javascript' }, body: readFileSync(HLS) };
  }
  if (pathname !== '/') return { status: 404, headers: {} };
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': searchParams.get('policy') ?? '',
    },
    body: `<!doctype html><title>A site</title><script src="/hls.js"></script>${searchParams.get('body') ?? ''}`,
  };
}

function selfSigned(): { readonly key: Buffer; readonly cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'vodstack-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  try {
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const files = ['-keyout', key, '-out', cert, '-subj', '/CN=example', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', ...made, ...files], { stdio: 'ignore' });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
