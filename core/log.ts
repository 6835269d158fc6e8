import { destination, pino } from 'pino';
import type { Logger } from 'pino';
import { redact } from './model/redact.ts';
import { withMetrics } from './model/metrics.ts';
import { printable } from './model/printable.ts';

export type { Logger };

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * One JSON line per event on standard error; standard output is for results. Signed addresses are
 * redacted wherever they stand in a line, as an error's text may quote a command, and a terminal finds nothing in
 * it that it would obey. With a namespace, CloudWatch reads metrics from it.
 */
export function createLog(level: LogLevel, metricsNamespace?: string): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      formatters: {
        level: (label) => ({ level: label }),
        ...(metricsNamespace === undefined
          ? {}
          : { log: (line) => withMetrics(line, metricsNamespace, Date.now()) }),
      },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      hooks: { streamWrite: (line) => printable(redact(line)) },
    },
    destination({ dest: 2, sync: true }),
  );
}
