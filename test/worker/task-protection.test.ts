import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createLog } from '../../core/log.ts';
import { QUEUES } from '../../core/model/roles.ts';
import { openLocalBackend } from '../../core/storage/local/backend.ts';
import { LOCAL_LAYOUT } from '../../core/storage/local/layout.ts';
import { consume } from '../../worker/consume.ts';
import { taskProtection } from '../../worker/task-protection.ts';

const ARN = 'arn:aws:ecs:eu-central-1:123456789012:task/vodstack-dev-workers/1';

/** Consumes the messages with an ECS agent that gives this answer. Returns the requests and messages in their order. */
async function consumeWithAgent(
  messages: readonly string[],
  answer: object,
): Promise<readonly string[]> {
  const events: string[] = [];
  const agent = createServer((request, response) => {
    void text(request).then((body) => {
      events.push(`${request.method ?? ''} ${request.url ?? ''} ${body}`);
      response.end(JSON.stringify(answer));
    });
  });
  await once(agent.listen(0, '127.0.0.1'), 'listening');
  const directory = await mkdtemp(join(tmpdir(), 'vodstack-protection-'));
  const backend = await openLocalBackend({ directory, layout: LOCAL_LAYOUT });
  const queue = backend.queue(QUEUES.jobs);
  for (const message of messages) await queue.send(message);
  const stop = new AbortController();
  const log = createLog('silent');
  const { port } = agent.address() as AddressInfo;
  const protect = taskProtection(`http://127.0.0.1:${port}/api/1`, log);
  let left = messages.length;
  await consume({
    queue,
    deadLetters: backend.queue(QUEUES.deadLetters),
    log,
    stop: stop.signal,
    visibilitySeconds: 60,
    maxReceives: 5,
    maxFailures: 5,
    retrySeconds: 1,
    handle: async (body) => void events.push(body),
    handleDeadLetter: async () => true,
    onIdle: async () => {},
    onBusy: protect,
    onDone: () => {
      left -= 1;
      if (left === 0) stop.abort();
    },
  });
  await protect(false);
  await backend.close();
  await rm(directory, { recursive: true });
  agent.closeAllConnections();
  await once(agent.close(), 'close');
  return events;
}

const PUT = 'PUT /api/1/task-protection/v1/state';
const ON = `${PUT} {"ProtectionEnabled":true,"ExpiresInMinutes":120}`;
const OFF = `${PUT} {"ProtectionEnabled":false}`;

test('A task is protected from its first message until a receive returns none', async () => {
  const answer = { protection: { ProtectionEnabled: true, TaskArn: ARN } };
  expect(await consumeWithAgent(['one', 'two'], answer)).toEqual([ON, 'one', 'two', OFF]);
});

test('A task that cannot be protected works all the same, and asks again before the next message', async () => {
  const answer = { failure: { Arn: ARN, Reason: 'DEPLOYMENT_BLOCKED' } };
  expect(await consumeWithAgent(['one', 'two'], answer)).toEqual([ON, 'one', ON, 'two']);
});
