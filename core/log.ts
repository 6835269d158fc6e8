import { destination, pino } from 'pino';
import type { Logger } from 'pino';
import { withMetrics } from './model/metrics.ts';
import { printable } from './model/printable.ts';
import { redact } from './model/redact.ts';

export type { Logger };

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Creates a log with one JSON line per event on standard error; standard output is for results. Secrets are redacted
 * in the whole line, as the text of an error can quote a command with a presigned URL. Control characters are escaped
 * for terminals. With a namespace, CloudWatch reads metrics from the lines.
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
