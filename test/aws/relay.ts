import { once } from 'node:events';
import { createServer, request as forward } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

/** A server between a program and the emulator, which sees what the program asks for. */
export interface Relay {
  /** `http://127.0.0.1:40123` */
  readonly address: string;
  /** Waits until every request is answered, or given up with the program that made it. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Writes an answer of its own to a request; returns false, and reads nothing of it, for one that is to be handed on. */
export type Instead = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Hands each request on, and its answer back; `onAnswer` is called before the program has the answer, with the
 * request's body where that is a form.
 */
export async function startRelay(
  emulator: string,
  onAnswer: (request: IncomingMessage, form: string) => void,
  instead: Instead = () => false,
): Promise<Relay> {
  const open = new Set<Promise<unknown>>();
  const server = createServer((request, response) => {
    if (instead(request, response)) return;
    const { method, headers, url = '/' } = request;
    let form = '';
    if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
      request.on('data', (chunk: Buffer) => (form += chunk.toString()));
    }
    const onward = forward(new URL(url, emulator), { method, headers }, (answer) => {
      onAnswer(request, form);
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    const closed = new Promise((resolve) => onward.once('close', resolve));
    open.add(closed);
    // Who asked may be gone in the middle of it, and so is what it asked.
    pipeline(request, onward, (error) => error && response.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    idle: async () => {
      await Promise.all(open);
    },
    close: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}
