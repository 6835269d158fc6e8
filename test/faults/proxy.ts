import { once } from 'node:events';
import { createServer, request as forward } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';

/** What happens to a request in place of what should. */
export type Fault =
  /** Comes late. */
  | { readonly kind: 'slow'; readonly seconds: number }
  /** The service does not get it; its connection breaks. */
  | { readonly kind: 'reset' }
  /** It is done, and the connection breaks before the answer. */
  | { readonly kind: 'unanswered' }
  /** The answer breaks off in the middle of its body. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'status'; readonly status: number; readonly code: string };

export interface Proxy {
  /** `http://127.0.0.1:40123` */
  readonly address: string;
  close(): Promise<void>;
}

/** A server between workers and a service that lets some requests go wrong; `faultOf` says which, and how. */
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
        // The emulator closes each connection; S3 keeps it, so that a body that is too short is noticed.
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
