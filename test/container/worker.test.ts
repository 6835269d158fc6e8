import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { playlistPath } from '../../core/model/keys.ts';
import { describeWithEmulator } from '../aws/emulator.ts';
import { cloudSetting } from '../aws/setting.ts';
import { clip, make } from '../e2e/clips.ts';
import { Machine } from '../e2e/machine.ts';
import type { Worker } from '../e2e/machine.ts';
import { dependencies, importsOf, withDependencies, workerFiles } from '../infra/worker-imports.ts';
import { beepTimes, beeps, numberedPicture, readFrames } from '../media/numbered.ts';
import { Containers, buildImage, inImage, whyNoContainer } from './podman.ts';

/** The stop timeout that infra/compute.ts gives Fargate. */
const STOP_SECONDS = 120;

/** The environment variables of a worker besides those of its storage backend. */
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

  test('The image is below 500 MB, and below 190 MB compressed', () => {
    expect(built.sizeBytes).toBeLessThan(500e6);
    expect(built.compressedBytes).toBeLessThan(190e6);
  });

  test('The image holds exactly the files and packages that the worker imports', async () => {
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
    // Even without a read-only root, a worker could not change its own program.
    const writable = ['(', '-not', '-uid', '0', '-or', '-perm', '/022', ')', '-not', '-type', 'l'];
    expect(await inImage('find', '.', ...writable)).toBe('');
  });

  test('The image holds no build tool, no installer, no cache and no secret', async () => {
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

  test('The image has a Node that is new enough for the worker, and ffmpeg', async () => {
    expect(await inImage('node', 'worker/main.ts', '--help')).toMatch(/^Usage: /);
    expect(await inImage('ffprobe', '-version')).toMatch(/^ffprobe version /);
    expect(await inImage('ffmpeg', '-version')).toMatch(/^ffmpeg version /);
  });

  describe('in a container with a read-only root, no capabilities and 1 GB of memory', () => {
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

    test('A container is healthy only while a worker runs in it', async () => {
      await containers.startOther('idle', 'sleep', 'infinity');
      expect(containers.health('idle')).toBe(1);
      await start('first').line(({ event }) => event === 'worker.started');
      expect(containers.health('first')).toBe(0);
    });

    test('The worker runs under an init, as its own user and without capabilities', async () => {
      const read = (path: string) => containers.exec('first', 'cat', path);
      expect(await read('/proc/1/comm')).toBe('tini\n');
      const status = await read('/proc/1/status');
      expect(status).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m);
      expect(status).toMatch(/^CapBnd:\t0+$/m);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    });

    test('An upload becomes an asset that breaks no rule', async () => {
      const file = clip({ name: '#2 4 Protection with PropTypes.mp4', seconds: 8 });
      await machine.upload(file);
      const asset = await machine.ready();
      expect(asset.title).toBe('#2 4 Protection with PropTypes');
      expect(await machine.check(asset, file)).toEqual([]);
    });

    test("The image's ffmpeg handles odd sources as the development machine's does", async () => {
      await start('odd').line(({ event }) => event === 'worker.started');
      const made = new Map<string, Awaited<ReturnType<typeof publish>>>();
      const files = oddSources();
      for (const file of files) await machine.upload(file);
      for (const _ of files) {
        const asset = await machine.ready();
        made.set(asset.title, await publish(machine, asset));
      }
      const first = (title: string) => made.get(title)?.frames[0];
      // Each picture appears once, and each whole second has its beep.
      const numbers = (title: string) => made.get(title)?.frames.map(({ number }) => number);
      expect(numbers('film')?.slice(0, 72)).toEqual(
        Array.from({ length: 72 }, (_, frame) => frame),
      );
      for (const title of ['film', 'two-mono']) {
        const beeped = made.get(title)?.channels ?? [];
        expect(beeped.map(({ length }) => length)).toEqual([3, 3]);
        for (const [second, time] of beeped.flatMap((times) => [...times.entries()])) {
          expect(Math.abs(time - 10 - second)).toBeLessThan(0.02);
        }
      }
      expect(made.get('fields')?.plan.media.video?.fieldOrder).toBe('bottom_first');
      expect(made.get('fields')?.frames).toHaveLength(50);
      expect(made.get('silent')?.plan.media.video?.fieldOrder).toBe('top_first');
      expect(made.get('grows')?.plan.media.video).toMatchObject({
        resized: true,
        display: { width: 320, height: 180 },
      });
      expect(made.get('grows')?.frames).toHaveLength(40);
      // The left half of the picture is transparent, and is shown black.
      const patches = first('ground')?.patches ?? [];
      expect(Math.max(...(patches[0] ?? [255]))).toBeLessThan(40);
      expect(patches[6]?.[0]).toBeGreaterThan(200);
    });

    test('A worker that is stopped in mid-chunk ends within seconds and returns its unit at once', async () => {
      await machine.stop();
      // A slow preset, so that the encode is still running when the worker is stopped.
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

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];

/**
 * Small files, made outside the image: a film, two mono tracks, interlacing that only the frames signal, interlacing that
 * nothing signals, a picture whose size grows, and a transparent background.
 */
function oddSources(): readonly string[] {
  const lavfi = (source: string) => ['-f', 'lavfi', '-i', source];
  const numbered = (rate: string, size = '320x180', seconds = 3) =>
    lavfi(numberedPicture({ rate, size, seconds }));
  const beep = lavfi(beeps(3));
  const part = (name: string, size: string, start: number) =>
    make(name, [...numbered('10', size, 2), ...H264, '-output_ts_offset', String(start)]);
  const parts = [part('small.ts', '160x90', 0), part('large.ts', '320x180', 2)];
  const fields = 'tinterlace=interleave_bottom,setfield=bff,format=yuv420p';
  return [
    make('film.mkv', [...numbered('24'), ...beep, ...H264, '-ac', '2', '-c:a', 'aac']),
    make('two-mono.mov', [
      ...[...numbered('25'), ...beep, ...beep, '-map', '0:v', '-map', '1:a', '-map', '2:a'],
      ...[...H264, '-c:a', 'pcm_s16le'],
    ]),
    make('fields.avi', [
      ...[...lavfi('testsrc2=s=720x576:r=50:d=2'), '-vf', fields, '-r', '25'],
      ...['-c:v', 'mpeg4', '-q:v', '3', '-flags', '+ildct+ilme', '-top', '0'],
    ]),
    make('silent.mp4', [
      ...lavfi('testsrc2=s=720x576:r=50:d=2'),
      ...['-vf', 'tinterlace=interleave_top,setfield=prog', '-r', '25', ...H264],
    ]),
    make('grows.ts', ['-i', `concat:${parts.join('|')}`, '-c', 'copy']),
    make('ground.mov', [
      ...lavfi(
        `${numberedPicture({ rate: '25', seconds: 2 })},format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*gt(X,W/2)'`,
      ),
      ...['-c:v', 'qtrle', '-pix_fmt', 'argb'],
    ]),
  ];
}

/** Returns the pictures of the largest rendition and the beep times of each audio channel, on the segments' timeline. */
async function publish(machine: Machine, { assetId, jobId }: { assetId: string; jobId: string }) {
  const folder = join(machine.directory, assetId);
  const paths: string[] = [];
  for (const [key, bytes] of await machine.published(assetId)) {
    const path = join(folder, key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    paths.push(path);
  }
  const plan = await machine.plan(jobId);
  const playlist = (name: string | undefined) =>
    paths.find((path) => name !== undefined && path.endsWith(`/${playlistPath(name)}`));
  const pictures = playlist(plan.renditions[0]?.name);
  const sound = playlist(plan.audio[0]?.name);
  return {
    plan,
    frames: pictures ? await readFrames(pictures) : [],
    channels: sound
      ? [await beepTimes(sound, { channel: 0 }), await beepTimes(sound, { channel: 1 })]
      : [],
  };
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter(Boolean).sort();
}
