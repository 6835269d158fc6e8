import { readConfig } from '../core/environment.ts';
import { createLog } from '../core/log.ts';
import { printable } from '../core/model/printable.ts';
import { requireNode } from '../core/runtime.ts';
import { openBackend } from '../core/storage/open-backend.ts';
import { consume } from './consume.ts';
import { createDeadLetterReporter } from './dead-letter-reporter.ts';
import { handleDeadLetter, handleMessage } from './pipeline.ts';
import { openScratch, removeScratch } from './scratch.ts';
import { openServices } from './services.ts';
import { taskProtection } from './task-protection.ts';

const HELP = `Usage: node worker/main.ts

Takes messages from the job queue and turns uploads into assets until SIGTERM or SIGINT.
Environment variables configure everything; core/environment.ts describes them.
`;

try {
  requireNode();
  const [argument] = process.argv.slice(2);
  if (argument === '--help') process.stdout.write(HELP);
  else if (argument) throw new Error(`There is no option ${argument}. See --help.`);
  else await main();
} catch (error) {
  process.stderr.write(`${printable(error instanceof Error ? error.message : String(error))}\n`);
  process.exitCode = 1;
}

/** The composition root: reads the environment, opens the backend and the services, and consumes messages. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.LOG_LEVEL, config.METRICS_NAMESPACE);
  const stop = new AbortController();
  const onStop = (reason: string) => {
    if (stop.signal.aborted) return;
    log.info({ event: 'worker.stopping', reason });
    stop.abort(new Error(`The worker is stopping: ${reason}.`));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, onStop);
  // The parent process is gone, so nothing could stop this one later.
  process.once('disconnect', () => onStop('its parent has ended'));
  // The IPC channel must not keep a failed worker alive.
  process.channel?.unref();

  const backend = await openBackend(config.VODSTACK_HOME);
  const scratch = await openScratch(config.WORK_DIRECTORY, log);
  const services = openServices(config, backend, scratch);
  log.info({ event: 'worker.started', backend: config.VODSTACK_HOME, node: process.version });
  try {
    await consume({
      queue: services.jobs,
      deadLetters: services.deadLetters,
      visibilitySeconds: config.VISIBILITY_SECONDS,
      maxReceives: config.MAX_RECEIVES,
      maxFailures: config.MAX_FAILURES,
      retrySeconds: config.RETRY_SECONDS,
      handle: (body, context) => handleMessage(services, body, context),
      handleDeadLetter: (body, error, context) => handleDeadLetter(services, body, error, context),
      // The local supervisor stops restarting workers that complete nothing.
      onDone: () => process.send?.('done'),
      onIdle: createDeadLetterReporter(services),
      ...(config.ECS_AGENT_URI && { onBusy: taskProtection(config.ECS_AGENT_URI, log) }),
      log,
      stop: stop.signal,
    });
  } finally {
    await removeScratch(scratch, log);
    await backend.close();
  }
  log.info({ event: 'worker.stopped' });
}
