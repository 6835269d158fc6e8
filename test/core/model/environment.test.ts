import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../core/environment.ts';
import { requireNode } from '../../../core/runtime.ts';
import { layoutEnv } from '../../../core/storage/local/layout.ts';

const env = { ...layoutEnv('/data/with space') };

describe("The worker's environment", () => {
  test('The environment of one machine is complete with the names, and the rest has defaults', () => {
    expect(readConfig(env)).toMatchObject({
      VODSTACK_HOME: 'file:///data/with%20space',
      MAX_FAILURES: 5,
      MAX_RECEIVES: 20,
      VISIBILITY_SECONDS: 120,
      LADDER: ['1080p', '720p', '540p', '360p', '234p'],
      X264_PRESET: 'veryfast',
      X264_CRF: 22,
      LOG_LEVEL: 'info',
    });
  });

  test('Variables replace the defaults', () => {
    const config = readConfig({
      ...env,
      LADDER: '720p, 360p',
      X264_CRF: '18',
      MAX_SOURCE_HOURS: '2',
    });
    expect(config).toMatchObject({ LADDER: ['720p', '360p'], X264_CRF: 18, MAX_SOURCE_HOURS: 2 });
  });

  test.each([
    ['VODSTACK_HOME', undefined, 'is missing'],
    ['VODSTACK_HOME', '/data', 'is neither file:/absolute/folder nor aws:'],
    ['VODSTACK_HOME', 'aws:eu-west-1', 'is neither file:/absolute/folder nor aws:'],
    ['JOB_QUEUE', '', 'is empty'],
    ['UNIT_QUEUE', undefined, 'is missing'],
    ['MAX_RECEIVES', '1', 'is less than 2'],
    ['MAX_FAILURES', '0', 'is less than 1'],
    ['MAX_RECEIVES', 'five', 'is not a number'],
    ['VISIBILITY_SECONDS', '2.5', 'is not a whole number'],
    ['VISIBILITY_SECONDS', '99999', 'is more than 43200'],
    ['LADDER', '720p,9000p', 'names a rung that is none of 1080p'],
    ['X264_PRESET', 'fastest', 'is none of ultrafast'],
    ['MAX_SOURCE_HOURS', '17', 'is more than 16'],
    ['LOG_LEVEL', 'loud', 'is none of trace'],
  ])('An environment with %s=%s is rejected, because it %s', (name, value, sentence) => {
    expect(() => readConfig({ ...env, [name]: value })).toThrow(`${name} ${sentence}`);
  });

  test('With SQS, queues are named by their URLs, and each invalid one is reported', () => {
    const queue = 'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs';
    const queues = {
      JOB_QUEUE: queue,
      UNIT_QUEUE: queue,
      DEAD_LETTER_QUEUE: queue,
      EVENT_QUEUE: queue,
    };
    const cloud = { ...env, VODSTACK_HOME: 'aws:' };
    expect(readConfig({ ...cloud, ...queues }).JOB_QUEUE).toBe(queue);
    for (const name of Object.keys(queues)) {
      expect(() => readConfig(cloud)).toThrow(`${name} is not the address of an SQS queue`);
    }
  });

  test('The error names all wrong variables at once', () => {
    const wrong = () => readConfig({ X264_CRF: '99' });
    for (const name of [...Object.keys(env), 'X264_CRF']) expect(wrong).toThrow(name);
  });
});

describe('The runtime', () => {
  test.each(['v22.18.0', 'v22.23.3', 'v24.0.0', 'v26.1.0'])('Node %s is accepted', (version) => {
    expect(() => requireNode(version)).not.toThrow();
  });

  test.each(['v18.20.0', 'v20.20.2', 'v22.17.1', 'v8.0.0'])(
    'Node %s is rejected with the required version',
    (version) => {
      expect(() => requireNode(version)).toThrow(
        `This is Node ${version}, and vodstack needs 22.18`,
      );
    },
  );
});
