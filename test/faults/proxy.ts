import { once } from 'node:events';
import { createServer, request as forward } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';

/** How a request goes wrong. */
export type Fault =
  /** It is forwarded after a delay. */
  | { readonly kind: 'slow'; readonly seconds: number }
  /** Its connection breaks before it is forwarded. */
  | { readonly kind: 'reset' }
  /** The service handles it, and the connection breaks before the response. */
  | { readonly kind: 'unanswered' }
  /** The response breaks off in the middle of its body. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'status'; readonly status: number; readonly code: string };

export interface Proxy {
  /** `http://127.0.0.1:40123` */
  readonly address: string;
  close(): Promise<void>;
}

/** Starts a proxy between workers and a service. `faultOf` decides which requests go wrong, and how. */
export async function startProxy(
  service: string,
  faultOf: (request: IncomingMessage) => Fault | undefined,
): Promise<Proxy> {
  const server = createServer((request, response): void => {
    const fault = faultOf(request);
    const breakOff = () => response.socket?.destroy();
    const pass = () => {
      const { method, headers, url = '/' } = request;
      const onward = forward(new URL(url, service), { method, headers }, (answer) => {
        if (fault?.kind === 'unanswered') {
          answer.resume().once('end', breakOff);
          return;
        }
        // The emulator closes each connection. S3 keeps it open, so clients notice a body that is too short.
        const { connection: _, ...headers } = answer.headers;
        response.writeHead(answer.statusCode ?? 500, headers);
        if (fault?.kind === 'cut')
          answer.once('data', (chunk: Buffer) => {
            response.write(chunk.subarray(0, chunk.length / 2), breakOff);
          });
        else answer.pipe(response);
      });
      onward.once('error', breakOff);
      request.pipe(onward);
    };
    switch (fault?.kind) {
      case 'reset':
        breakOff();
        return;
      case 'status': {
        const body = `<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>On purpose.</Message></Error>`;
        request.resume().once('end', () => {
          response.writeHead(fault.status, { 'content-type': 'application/xml' }).end(body);
        });
        return;
      }
      case 'slow':
        void after(fault.seconds * 1000).then(pass);
        return;
      case 'unanswered':
      case 'cut':
      case undefined:
        pass();
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}
