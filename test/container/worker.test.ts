import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWithEmulator } from '../aws/emulator.ts';
import { cloudSetting } from '../aws/setting.ts';
import { clip } from '../e2e/clips.ts';
import { Machine } from '../e2e/machine.ts';
import type { Worker } from '../e2e/machine.ts';
import { dependencies, importsOf, withDependencies, workerFiles } from '../infra/worker-imports.ts';
import { Containers, buildImage, inImage, whyNoContainer } from './podman.ts';

/** As infra/compute.ts says it to Fargate. */
const STOP_SECONDS = 120;

/** What a worker is told besides the names of its home. */
const VARIABLES = [
  ...['AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
  ...['X264_PRESET', 'RETRY_SECONDS', 'LOG_LEVEL'],
];

const why = whyNoContainer();
const describeContainer = why
  ? (name: string, suite: () => void) => describe.skip(`${name} (skipped: ${why})`, suite)
  : describeWithEmulator;

describeContainer("The worker's image", () => {
  let built: Awaited<ReturnType<typeof buildImage>>;
  beforeAll(async () => {
    const began = performance.now();
    built = await buildImage();
    const seconds = (performance.now() - began) / 1000;
    const [size, compressed] = [built.sizeBytes, built.compressedBytes].map((bytes) =>
      (bytes / 1e6).toFixed(0),
    );
    console.log(`Built in ${seconds.toFixed(0)} s: ${size} MB, ${compressed} MB compressed.`);
  });

  test('is below 500 MB, and below 190 MB compressed.', () => {
    expect(built.sizeBytes).toBeLessThan(500e6);
    expect(built.compressedBytes).toBeLessThan(190e6);
  });

  test('holds of the project what the worker imports, to the last package.', async () => {
    const argv = ['-path', './node_modules', '-prune', '-o', '-type', 'f', '-printf', '%P\\n'];
    const files = lines(await inImage('find', '.', ...argv));
    expect(files).toEqual(['package.json', ...workerFiles()].sort());
    const folders = lines(
      await inImage('find', 'node_modules', '-mindepth', '1', '-maxdepth', '2', '-printf', '%P\\n'),
    );
    const imported = new Set(workerFiles().flatMap(importsOf));
    const needed = withDependencies(dependencies().filter((name) => imported.has(name)));
    const packages = folders.filter((name) => /^(@[^/]+\/[^/]+|[^@./][^/]*)$/.test(name));
    expect(packages).toEqual([...needed].sort());
    // Not even without a read-only root could a worker change itself.
    const writable = ['(', '-not', '-uid', '0', '-or', '-perm', '/022', ')', '-not', '-type', 'l'];
    expect(await inImage('find', '.', ...writable)).toBe('');
  });

  test('holds nothing to build or install with, no cache and no secret.', async () => {
    const files = lines(await inImage('find', '/', '-xdev', '-printf', '%p\\n'));
    const unwanted = [
      /\/bin\/(npm|npx|corepack|yarn|yarnpkg|cc|gcc|g\+\+|make|git|curl|wget|python3?)$/,
      /\/(\.npm|\.npmrc|_cacache|\.aws|\.git|\.env)$/,
      /^\/(root|home\/[^/]+|var\/cache|var\/lib\/apt\/lists|var\/log)\/[^.]/,
      /\/(libLLVM|libgallium)/,
    ];
    expect(files).toContain('/vodstack/worker/main.ts');
    expect(files.filter((file) => unwanted.some((rule) => rule.test(file)))).toEqual([]);
  });

  test('has a Node that is new enough, and an ffmpeg that can check certificates.', async () => {
    expect(await inImage('node', 'worker/main.ts', '--help')).toMatch(/^Usage: /);
    expect(await inImage('ffprobe', '-version')).toMatch(/^ffprobe version /);
    expect(await inImage('ffmpeg', '-version')).toContain(' --enable-gnutls ');
    const authorities = ['-c', 'BEGIN CERTIFICATE', '/etc/ssl/certs/ca-certificates.crt'];
    expect(Number(await inImage('grep', ...authorities))).toBeGreaterThan(50);
  });

  describe('with a read-only root, no rights and a gigabyte of memory', () => {
    const containers = new Containers();
    let machine: Machine;
    beforeAll(async () => {
      machine = await Machine.open(cloudSetting);
    });
    afterAll(async () => {
      await containers.remove();
      await machine.close();
    });

    function start(name: string, env: Readonly<Record<string, string>> = {}): Worker {
      const variables = [...Object.keys(machine.env), ...VARIABLES];
      return machine.start(env, containers.command(name, variables));
    }

    /** Stops a worker as Fargate does; returns how long that took, in seconds. */
    async function stop(name: string, worker: Worker): Promise<number> {
      const told = performance.now();
      await containers.stop(name, STOP_SECONDS);
      expect(await worker.ended).toBe(0);
      return (performance.now() - told) / 1000;
    }

    test('is healthy when a worker runs in it, and only then.', async () => {
      await containers.startOther('idle', 'sleep', 'infinity');
      expect(containers.health('idle')).toBe(1);
      await start('first').line(({ event }) => event === 'worker.started');
      expect(containers.health('first')).toBe(0);
    });

    test('gives the worker an init, a user of its own, and no more than that.', async () => {
      const read = (path: string) => containers.exec('first', 'cat', path);
      expect(await read('/proc/1/comm')).toBe('tini\n');
      const status = await read('/proc/1/status');
      expect(status).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m);
      expect(status).toMatch(/^CapBnd:\t0+$/m);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    });

    test('makes an upload an asset without a broken rule.', async () => {
      const file = clip({ name: '#2 4 Protection with PropTypes.mp4', seconds: 8 });
      await machine.upload(file);
      const asset = await machine.ready();
      expect(asset.title).toBe('#2 4 Protection with PropTypes');
      expect(await machine.check(asset, file)).toEqual([]);
    });

    test('ends within seconds in the middle of a chunk, and gives the unit back at once.', async () => {
      await machine.stop();
      // A preset that takes its time.
      const second = start('second', { X264_PRESET: 'veryslow' });
      const file = clip({ name: 'stopped.mp4', seconds: 70 });
      await machine.upload(file);
      await second.encodes('video-00000');
      const seconds = await stop('second', second);
      console.log(`Stopped in mid-encode within ${seconds.toFixed(1)} s.`);
      expect(seconds).toBeLessThan(15);
      const { visible, inFlight, delayed } = await machine.counts('JOB_QUEUE');
      expect({ inFlight, delayed }).toEqual({ inFlight: 0, delayed: 0 });
      expect(visible).toBeGreaterThan(0);
      const third = start('third');
      expect(await third.encodes('video-00000')).toMatchObject({ receiveCount: 1 });
      const asset = await machine.ready();
      expect(await machine.check(asset, file)).toEqual([]);
      await stop('third', third);
      expect(await machine.counts('JOB_QUEUE')).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    });
  });
});

function lines(text: string): readonly string[] {
  return text.split('\n').filter(Boolean).sort();
}
