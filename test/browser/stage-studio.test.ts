import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PutBucketCorsCommand, S3Client } from '@aws-sdk/client-s3';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { STUDIO_UPLOADS } from '../../infra/storage.ts';
import { describeWithEmulator } from '../aws/emulator.ts';
import { cloudSetting } from '../aws/setting.ts';
import type { Setting } from '../e2e/machine.ts';
import { Deployed } from '../scripts/aws/deployed.ts';
import { start } from '../scripts/aws/run.ts';
import type { Run } from '../scripts/aws/run.ts';
import { openBrowser } from './browser.ts';

const MIB = 2 ** 20;

// Slow, as it starts a browser, the emulator and a command.
describeWithEmulator('the studio of a stage in a browser', () => {
  let setting: Setting;
  let deployed: Deployed;
  let studio: Run;
  let browser: Browser;
  let address: string;
  beforeAll(async () => {
    setting = await cloudSetting();
    deployed = await Deployed.open('dev', setting.env);
    await deployed.distribution('E1EXAMPLE');
    const { allowedOrigins, allowedMethods, allowedHeaders, exposeHeaders } = STUDIO_UPLOADS;
    const s3 = new S3Client({ forcePathStyle: true });
    await s3.send(
      new PutBucketCorsCommand({
        Bucket: setting.env.SOURCE_BUCKET,
        CORSConfiguration: {
          CORSRules: [
            {
              AllowedOrigins: allowedOrigins,
              AllowedMethods: allowedMethods,
              AllowedHeaders: allowedHeaders,
              ExposeHeaders: exposeHeaders,
            },
          ],
        },
      }),
    );
    s3.destroy();
    studio = start('studio', ['dev', '--port', '0']);
    const { stdout } = studio.child;
    if (!stdout) throw new Error('The studio has no standard output.');
    const ended = studio.ended.then(({ err }) => {
      throw new Error(`The studio has ended: ${err}`);
    });
    const line = once(createInterface(stdout), 'line') as Promise<[string]>;
    [address] = await Promise.race([line, ended]);
    ended.catch(() => undefined);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    studio.child.kill('SIGINT');
    await studio.ended;
    deployed.close();
    await setting.close();
  });

  test('The page uploads the parts of a file directly to the bucket, which has another origin', async () => {
    const page = await browser.newPage();
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'PUT') sent.push(new URL(request.url()).origin);
    });
    await page.goto(address);
    const [name, buffer] = ['강의 #1 100%.mp4', randomBytes(9 * MIB)];
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles({ name, buffer, mimeType: 'video/mp4' });
    await page.getByText('for a worker').waitFor();
    expect(sent).toEqual(Array(2).fill(process.env['AWS_ENDPOINT_URL']));
    const keys: string[] = [];
    for await (const { key, sizeBytes } of setting.backend.store.list(
      setting.env.SOURCE_BUCKET,
      '',
    ))
      keys.push(`${key.split('/')[2] ?? ''} ${sizeBytes}`);
    expect(keys).toEqual([`${name} ${9 * MIB}`]);
    expect(await deployed.wantedWorkers()).toBe(1);
  });
});
