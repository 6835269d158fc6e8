import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const LOG = new URL('../../core/log.ts', import.meta.url).href;

test('A line of the log is JSON of the logged fields, without control characters', () => {
  const file = 'a\u001b]0;owned\u0007\u009b2J\u202egpj\n\u2028.mp4';
  const program = `import { createLog } from ${JSON.stringify(LOG)};
    createLog('info').error({ file: ${JSON.stringify(file)}, err: new Error(${JSON.stringify(file)}) });`;
  const argv = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
  const { stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  expect(stderr).toMatch(/^[\x20-\x7e]+\n$/);
  expect(JSON.parse(stderr)).toMatchObject({ file, err: { message: file } });
});

test('With a namespace, CloudWatch reads metrics from the lines of the log', () => {
  const program = `import { createLog } from ${JSON.stringify(LOG)};
    const log = createLog('info', 'vodstack-dev-work').child({ jobId: 'a' });
    log.info({ event: 'asset.ready', secondsPerMinute: 30 });`;
  const argv = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
  const { stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  expect(JSON.parse(stderr)).toMatchObject({
    ...{ jobId: 'a', event: 'asset.ready', secondsPerMinute: 30 },
    _aws: { CloudWatchMetrics: [{ Namespace: 'vodstack-dev-work' }] },
  });
});
