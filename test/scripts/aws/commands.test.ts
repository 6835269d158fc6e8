import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { jobKeys } from '../../../core/model/keys.ts';
import { parseMessage, serialiseUnit } from '../../../core/model/message.ts';
import type { Queue } from '../../../core/storage/ports.ts';
import { requestWith } from '../../../edge/event.ts';
import { loadEdgeFunction } from '../../../edge/local/edge-function.ts';
import { viewerRequestSource } from '../../../edge/source.ts';
import { STAGES } from '../../../infra/config.ts';
import { requireAccount } from '../../../scripts/aws/account.ts';
import { describeWithEmulator } from '../../aws/emulator.ts';
import { startRelay } from '../../aws/relay.ts';
import { cloudSetting } from '../../aws/setting.ts';
import type { Setting } from '../../e2e/machine.ts';
import { putJson } from '../../put-json.ts';
import { Deployed, ORIGIN } from './deployed.ts';
import { emptied } from './emptied.ts';
import { run, start } from './run.ts';

const MIB = 2 ** 20;
const HOME = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };

describeWithEmulator('The commands on a stage', () => {
  let setting: Setting;
  let deployed: Deployed;
  let directory: string;
  let jobs: Queue;
  let letters: Queue;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vodstack-commands-'));
    setting = await cloudSetting();
    jobs = setting.backend.queue(setting.env.JOB_QUEUE);
    letters = setting.backend.queue(setting.env.DEAD_LETTER_QUEUE);
  });
  afterAll(async () => {
    deployed.close();
    await setting.close();
    await rm(directory, { recursive: true });
  });

  describe('before it is deployed', () => {
    test.each([
      ['upload', []],
      ['status', []],
      ['check', []],
      ['studio', []],
      ['dead-letters', ['list']],
      ['play-address', ['0123456789abcdef0123']],
    ] as const)('end with what to do: %s.', async (command, rest) => {
      const files = command === 'upload' ? [await file('early.mp4', 10)] : [];
      const { code, out, err } = await run(command, ['dev', ...rest, ...files]);
      expect([code, out, err]).toEqual([
        ...[1, '', 'Stage dev is not deployed. Run ./scripts/deploy dev.\n'],
      ]);
    });

    test('Commands accept only the stages of infra/config.ts', async () => {
      const { code, err } = await run('status', ['nope']);
      expect([code, err]).toEqual([
        2,
        'There is no stage nope. infra/config.ts has dev, staging, prod.\nSee ./scripts/status --help.\n',
      ]);
    });

    test('Commands without credentials explain how to get them', async () => {
      const none = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
      const { code, err } = await run('status', ['dev'], {
        ...{ ...HOME, ...none, AWS_EC2_METADATA_DISABLED: 'true' },
      });
      expect(code).toBe(1);
      expect(err).toMatch(/^There are no AWS credentials: .*aws sso login/);
    });

    test("Commands refuse another account than the stage's", async () => {
      const [dev] = STAGES;
      if (!dev) throw new Error('There is no stage.');
      await expect(requireAccount({ ...dev, accountId: '999999999999' })).rejects.toThrow(
        'These credentials are of account 123456789012, and stage dev belongs to 999999999999',
      );
    });
  });

  describe('once it is deployed', () => {
    beforeAll(async () => {
      deployed = await Deployed.open('dev', setting.env);
    });
    beforeEach(async () => {
      await emptied(jobs);
      await emptied(letters);
    });

    test('Commands find a stage in its own region, whatever the environment says', async () => {
      const { code, json } = await run('status', ['dev', '--json'], { AWS_REGION: 'us-east-1' });
      expect(code).toBe(0);
      expect(json).toEqual([
        {
          ...{ stage: 'dev', origin: ORIGIN, deadLetters: 0 },
          workers: { running: 0, starting: 0, wanted: 0 },
          queue: { visible: 0, inFlight: 0, delayed: 0 },
          jobs: { open: { total: 0, newest: [] }, ended: { total: 0, newest: [] } },
        },
      ]);
    });

    test('check finds no lost work in an empty stage', async () => {
      const { code, json } = await run('check', ['dev', '--json']);
      expect(code).toBe(0);
      const garbage = { found: [], waiting: [], due: [], settled: [] };
      expect(json).toEqual([
        { place: 'Stage dev', held: 0, open: 0, lost: [], sent: [], garbage, freed: [] },
      ]);
    });

    test('Commands refuse a stage whose workers have another version', async () => {
      const { JOB_QUEUE: _, ...incomplete } = setting.env;
      await deployed.task(incomplete);
      const { code, err } = await run('status', ['dev']);
      await deployed.task(setting.env);
      expect(code).toBe(1);
      expect(err).toContain('JOB_QUEUE is missing');
      expect(err).toContain('Deploy it again: ./scripts/deploy dev\n');
    });

    describe('upload', () => {
      test.each([
        '#2 4 Protection with PropTypes.mp4',
        '강의 1강 – 소개.mp4'.normalize('NFC'),
        '강의 1강 – 소개.mp4'.normalize('NFD'),
        '🎬 100% +a?b&c=d.mov',
      ])('keeps the name of a file, and starts a worker: %s', async (name) => {
        await deployed.wantWorkers(0);
        const path = await file(name, 1000);
        const { code, json } = await run('upload', ['dev', path, '--no-wait']);
        expect(code).toBe(0);
        expect(json).toEqual([
          {
            ...{ source: name, status: 'uploaded', elapsedSeconds: expect.any(Number) as unknown },
            assetId: expect.stringMatching(/^[0-9a-f]{20}$/) as unknown,
            jobId: expect.stringMatching(/^[0-9a-f]{20}$/) as unknown,
          },
        ]);
        const stored = await setting.backend.store.head(setting.env.SOURCE_BUCKET, name);
        expect(stored).toMatchObject({ key: name, sizeBytes: 1000 });
        expect(await asked()).toMatchObject([{ type: 'uploads', uploads: [{ key: name }] }]);
        expect(await deployed.wantedWorkers()).toBe(1);
      });

      test('upload does not change the number of workers that run already', async () => {
        await deployed.wantWorkers(3);
        await run('upload', ['dev', await file('more.mp4', 10), '--no-wait']);
        expect(await deployed.wantedWorkers()).toBe(3);
      });

      test('upload stores a title with the file, and a later title keeps the job', async () => {
        const path = await file('titled.mp4', 10);
        const title = '강의 #1: 100 %';
        const one = await run('upload', ['dev', path, '--no-wait', '--title', title]);
        const stored = await setting.backend.store.head(setting.env.SOURCE_BUCKET, 'titled.mp4');
        expect(decodeURIComponent(stored?.metadata['title'] ?? '')).toBe(title);
        await emptied(jobs);
        const other = await run('upload', ['dev', path, '--no-wait', '--title', 'Another']);
        expect(await asked()).toMatchObject([{ type: 'job', options: { title: 'Another' } }]);
        const { assetId, jobId } = ids(one.json);
        expect(ids(other.json)).toMatchObject({ assetId, jobId });
      });

      test('upload retries a rejected file, also one that is uploaded again', async () => {
        const path = await file('again.mp4', 10);
        const { jobId, assetId } = ids((await run('upload', ['dev', path, '--no-wait'])).json);
        const result = {
          ...{ type: 'asset.rejected', jobId, assetId, code: 'no_video', reason: 'No picture.' },
          source: { bucket: setting.env.SOURCE_BUCKET, key: 'again.mp4' },
        };
        const { store } = setting.backend;
        const { WORK_BUCKET } = setting.env;
        for (const changed of [false, true]) {
          await emptied(jobs);
          await putJson(store, WORK_BUCKET, jobKeys(jobId).result, result);
          if (changed) await utimes(path, new Date(0), new Date(0));
          await run('upload', ['dev', path, '--no-wait']);
          expect(await store.head(WORK_BUCKET, jobKeys(jobId).result)).toBeUndefined();
          expect(await asked()).toContainEqual(expect.objectContaining({ type: 'job' }));
        }
      });

      test('upload reports that a file replaces another one with the same name', async () => {
        const path = await file('same.mp4', 10);
        await run('upload', ['dev', path, '--no-wait']);
        await file('same.mp4', 20);
        const { code, err } = await run('upload', ['dev', path, '--no-wait']);
        expect(code).toBe(0);
        expect(err).toMatch(
          /^same\.mp4 takes the place of another file by that name, uploaded at 2/,
        );
      });

      test.each(['SIGKILL', 'SIGINT'] as const)(
        'An upload that %s interrupted resumes, and sends no finished part twice',
        async (signal) => {
          const path = await file(`cut off by ${signal}.mp4`, 88 * MIB);
          const key = basename(path);
          const { store } = setting.backend;
          const { SOURCE_BUCKET } = setting.env;
          const sent: number[] = [];
          let onPart = (): void => undefined;
          const relay = await startRelay(process.env['AWS_ENDPOINT_URL'] ?? '', (request) => {
            const part = partOf(request);
            if (part === undefined) return;
            sent.push(part);
            onPart();
          });
          const env = { AWS_ENDPOINT_URL: relay.address };
          const first = start('upload', ['dev', path, '--no-wait'], env);
          onPart = () => sent.length === 5 && first.child.kill(signal);
          const { code, out, err } = await first.ended;
          await relay.idle();
          onPart = () => undefined;
          expect([code, out]).toEqual([signal === 'SIGINT' ? 130 : null, '']);
          if (signal === 'SIGINT') expect(err).toContain('run the same command again');

          const [upload = ''] = await store.openUploads(SOURCE_BUCKET, key);
          const arrived = await store.storedParts(SOURCE_BUCKET, key, upload);
          expect(arrived.length).toBeGreaterThanOrEqual(5);
          expect(arrived.length).toBeLessThan(11);
          sent.length = 0;
          expect(await run('upload', ['dev', path, '--no-wait'], env)).toMatchObject({ code: 0 });
          await relay.close();
          expect(sent).toHaveLength(11 - arrived.length);
          expect(arrived.filter(({ partNumber }) => sent.includes(partNumber))).toEqual([]);
          expect(await digestOf(SOURCE_BUCKET, key)).toBe(contents.get(path));
        },
      );
    });

    test('An upload that loses its connection explains what to do, and resumes at the next run', async () => {
      const path = await file('lost.mp4', 40 * MIB);
      let closed: Promise<void> | undefined;
      const relay = await startRelay(process.env['AWS_ENDPOINT_URL'] ?? '', (request) => {
        if (partOf(request) !== undefined) closed ??= relay.close();
      });
      const { code, json } = await run('upload', ['dev', path], {
        AWS_ENDPOINT_URL: relay.address,
      });
      await closed;
      expect([code, json]).toMatchObject([
        1,
        [
          { source: 'lost.mp4', status: 'failed', reason: /^It is not uploaded\. Run the same/ },
        ].map((line) => ({ ...line, reason: expect.stringMatching(line.reason) as unknown })),
      ]);
      expect((await run('upload', ['dev', path, '--no-wait'])).code).toBe(0);
      expect(await digestOf(setting.env.SOURCE_BUCKET, 'lost.mp4')).toBe(contents.get(path));
    });

    describe('play-address', () => {
      const ASSET = '0123456789abcdef0123';
      const POINTER = `v/${ASSET}/index.m3u8`;

      /** Whether the edge, with those keys, would let an app fetch the address. */
      function opens(address: unknown, keys: string): boolean {
        const rule = { allowedSites: [], allowNoContext: false, tokenKeys: keys.split(' ') };
        const url = new URL(String(address)).pathname;
        const answer = loadEdgeFunction(viewerRequestSource(rule))(requestWith([], { url }));
        return answer.kind === 'request';
      }

      async function address(): Promise<unknown> {
        const { json } = await run('play-address', ['dev', ASSET]);
        return (json[0] as { readonly address: string }).address;
      }

      test('play-address prints the plain address in a stage without tokens', async () => {
        await setting.backend.store.put(setting.env.DELIVERY_BUCKET, POINTER, '#EXTM3U');
        const { code, out, err } = await run('play-address', ['dev', ASSET]);
        expect([code, out]).toEqual([1, '']);
        expect(err).toMatch(/^Stage dev has no playback tokens: set playbackTokens in infra/);
        expect(err).toContain(`It plays at ${ORIGIN}/${POINTER}\n`);
        expect((await run('play-address', ['dev', '--rotate'])).err).toMatch(/has no playback tok/);
      });

      test('play-address signs an address for the given time, and shows no key', async () => {
        await deployed.deployKeys('key-a key-b');
        const before = Date.now();
        const { code, json, out, err } = await run('play-address', ['dev', ASSET, '--for', '2h']);
        expect(code).toBe(0);
        const [result] = json as readonly { readonly [name: string]: string }[];
        expect(result).toEqual({
          asset: ASSET,
          address: expect.stringMatching(`^${ORIGIN}/t/\\d+\\.[\\w-]{43}/${POINTER}$`) as unknown,
          expires: expect.any(String) as unknown,
        });
        const seconds = (Date.parse(result?.['expires'] ?? '') - before) / 1000;
        expect(seconds).toBeGreaterThanOrEqual(7200);
        expect(seconds).toBeLessThan(7260);
        expect(opens(result?.['address'], 'key-a key-b')).toBe(true);
        expect(out + err).not.toContain('key-');
      });

      test('play-address reports a missing asset', async () => {
        const { code, err } = await run('play-address', ['dev', 'nope']);
        expect([code, err]).toEqual([1, 'There is no asset nope in stage dev.\n']);
      });

      test('Signed addresses survive one rotation of the key, and end with the second', async () => {
        await deployed.deployKeys('key-a key-b');
        const first = await address();
        const rotated = await run('play-address', ['dev', '--rotate']);
        expect(rotated).toMatchObject({
          ...{ code: 0, json: [{ stage: 'dev', rotated: true, next: './scripts/deploy dev' }] },
        });
        const { keys, type } = await deployed.edgeKeys();
        expect(type).toBe('SecureString');
        expect(keys).toMatch(/^[0-9a-f-]{73} key-a$/);
        expect(rotated.out + rotated.err).not.toContain(keys.slice(0, 73));

        // Until the deploy, the edge knows only the old keys, and addresses are signed with them.
        expect(opens(await address(), 'key-a key-b')).toBe(true);
        const again = await run('play-address', ['dev', '--rotate']);
        expect([again.code, again.err]).toEqual([
          1,
          'The key that was drawn last is not at the edge yet: run ./scripts/deploy dev first. Another one now would end every address that is out.\n',
        ]);
        expect((await deployed.edgeKeys()).keys).toBe(keys);

        await deployed.deployKeys(keys);
        const second = await address();
        expect([opens(first, keys), opens(second, keys), opens(second, 'key-a')]).toEqual([
          ...[true, true, false],
        ]);
        await run('play-address', ['dev', '--rotate']);
        const last = (await deployed.edgeKeys()).keys;
        expect([opens(first, last), opens(second, last)]).toEqual([false, true]);
      });
    });

    describe('dead-letters', () => {
      const jobId = 'b'.repeat(20);

      async function twoLetters() {
        const source = { bucket: setting.env.SOURCE_BUCKET, key: '강의 #1.mp4' };
        const evidence = { source, error: 'Error: the disk is on fire' };
        const { store } = setting.backend;
        await putJson(store, setting.env.WORK_BUCKET, jobKeys(jobId).failure('images'), evidence);
        await letters.send(serialiseUnit(jobId, 'images'));
        await letters.send('no JSON at all');
      }

      /** The messages as listed, the unreadable one first. */
      async function listed() {
        const { json } = await run('dead-letters', ['dev', 'list', '--json']);
        const all = json[0] as readonly Readonly<Record<string, string>>[];
        return all.toSorted((one) => (one['message']?.startsWith('{') ? 1 : -1));
      }

      test('dead-letters lists messages with their reasons, shows one, and removes none', async () => {
        await twoLetters();
        const [poison, unit] = await listed();
        expect(poison).toMatchObject({ reason: 'The message is not JSON.' });
        expect(unit).toMatchObject({
          ...{ jobId, step: 'unit images', source: '강의 #1.mp4' },
          reason: 'Error: the disk is on fire',
        });
        const { code, out } = await run('dead-letters', ['dev', 'show', unit?.['id'] ?? '']);
        expect(code).toBe(0);
        expect(out).toContain('Error: the disk is on fire');
        expect(out).toContain('"unit":"images"');
        expect(await letters.counts()).toEqual({ visible: 2, inFlight: 0, delayed: 0 });
      });

      test('dead-letters sends one message back, starts a worker and keeps the others', async () => {
        await twoLetters();
        await deployed.wantWorkers(0);
        const [, unit] = await listed();
        const { code, json } = await run('dead-letters', [
          ...['dev', 'replay', unit?.['id']?.slice(0, 8) ?? '', '--json'],
        ]);
        expect([code, json]).toEqual([0, [{ replayed: 1 }]]);
        expect(await asked()).toEqual([{ type: 'unit', jobId, unit: 'images' }]);
        expect(await deployed.wantedWorkers()).toBe(1);
        expect(await letters.counts()).toEqual({ visible: 1, inFlight: 0, delayed: 0 });
      });

      test('dead-letters loses no message if the queue cannot be reached', async () => {
        await twoLetters();
        const unreachable = `${setting.env.JOB_QUEUE}-that-is-gone`;
        await deployed.task({ ...setting.env, JOB_QUEUE: unreachable });
        const { code, err } = await run('dead-letters', ['dev', 'replay', '--all']);
        await deployed.task(setting.env);
        expect(code).toBe(1);
        expect(err).toMatch(/queue does not exist/);
        expect(await letters.counts()).toEqual({ visible: 2, inFlight: 0, delayed: 0 });
      });

      test('dead-letters drops the chosen messages, without a terminal only with --yes', async () => {
        await twoLetters();
        const refused = await run('dead-letters', ['dev', 'drop', '--all']);
        expect([refused.code, refused.err]).toEqual([
          2,
          'Nobody can be asked here: add --yes.\nSee ./scripts/dead-letters --help.\n',
        ]);
        expect((await letters.counts()).visible).toBe(2);
        const { code, out } = await run('dead-letters', ['dev', 'drop', '--all', '--yes']);
        expect([code, out]).toEqual([0, '2 dead letters dropped.\n']);
        expect(await letters.counts()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
        expect((await jobs.counts()).visible).toBe(0);
      });

      test('dead-letters reports a missing message', async () => {
        const { code, err } = await run('dead-letters', ['dev', 'show', 'abc']);
        expect([code, err]).toEqual([
          ...[1, 'There is no dead letter abc, or somebody else has it in hand.\n'],
        ]);
      });
    });
  });

  /** The content of each file, by path. */
  const contents = new Map<string, string>();

  /** Creates a unique file of that many bytes. */
  async function file(name: string, size: number): Promise<string> {
    const path = join(directory, name);
    const bytes = randomBytes(size);
    contents.set(path, createHash('sha256').update(bytes).digest('hex'));
    await writeFile(path, bytes);
    return path;
  }

  async function digestOf(bucket: string, key: string): Promise<string> {
    const found = await setting.backend.store.get(bucket, key);
    const digest = createHash('sha256');
    for await (const chunk of found?.body ?? []) digest.update(chunk as Buffer);
    return digest.digest('hex');
  }

  /** What was asked of the workers; none of it is there afterwards. */
  async function asked() {
    return (await emptied(jobs)).map((body) => parseMessage(body));
  }
});

function ids([line]: readonly unknown[]): { readonly assetId: string; readonly jobId: string } {
  return line as { readonly assetId: string; readonly jobId: string };
}

/** The part number of a request. */
function partOf({ method, url = '' }: IncomingMessage): number | undefined {
  const number = new URL(url, 'http://x').searchParams.get('partNumber');
  return method === 'PUT' && number !== null ? Number(number) : undefined;
}
