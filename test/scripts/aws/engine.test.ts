import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { CreateRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { stage } from '../../../infra/config.ts';
import { imageMonth, imageTag } from '../../../infra/image.ts';
import { nameOf } from '../../../infra/names.ts';
import { findEngine, isPushed, pushImage } from '../../../scripts/aws/image.ts';
import { describeWithEmulator, useEmulator } from '../../aws/emulator.ts';
import { pushByHand } from '../../deploy/image.ts';

const REGISTRY = '123456789012.dkr.ecr.eu-central-1.amazonaws.com';
const { signal } = new AbortController();

describeWithEmulator("The worker's image", () => {
  const config = stage({
    name: 'arm',
    region: 'eu-central-1',
    allowedSites: ['https://site.example'],
    worker: { cpuUnits: 1024, memoryMiB: 2048, architecture: 'ARM64', spotPercent: 0 },
  });
  useEmulator();
  let ecr: ECRClient;
  let programs: string;

  beforeAll(async () => {
    ecr = new ECRClient();
    await ecr.send(new CreateRepositoryCommand({ repositoryName: nameOf('arm', 'worker') }));
  });

  afterAll(() => ecr.destroy());

  beforeEach(async () => {
    programs = await mkdtemp(join(tmpdir(), 'vodstack-engine-'));
  });

  /** Puts a stub in the place of an engine: it logs its command lines, and fails at `failing`. */
  async function engine(name: string, failing = 'nothing'): Promise<void> {
    const log = join(programs, 'log');
    const program = join(programs, name);
    const script = [
      '#!/bin/sh',
      `echo "${name} $*" >>${log}`,
      `[ "$1" = login ] && { echo "in: $(cat)" >>${log}; }`,
      `[ "$1" != ${failing} ]`,
    ];
    await writeFile(program, script.join('\n'));
    await chmod(program, 0o755);
    vi.stubEnv('PATH', [programs, '/usr/bin', '/bin'].join(delimiter));
  }

  const asked = async () => (await readFile(join(programs, 'log'), 'utf8')).trim().split('\n');

  test('The image is built for its CPU architecture and pushed, and no command line has the token', async () => {
    await engine('docker');
    await pushImage(ecr, 'docker', config, 'abc', signal);
    const image = `${REGISTRY}/vodstack-arm-worker:abc`;
    const [build, ...rest] = await asked();
    expect(build).toMatch(
      `docker build --pull --build-arg MONTH=${imageMonth()} --platform linux/arm64 --tag ${image} /`,
    );
    expect(rest).toEqual([
      `docker login --username AWS --password-stdin ${REGISTRY}`,
      expect.stringMatching(/^in: .+-auth-token$/),
      `docker push ${image}`,
      `docker logout ${REGISTRY}`,
    ]);
  });

  test('An image that Podman or Buildah builds keeps its health check', async () => {
    for (const name of ['podman', 'buildah'] as const) {
      await engine(name);
      await pushImage(ecr, name, config, 'abc', signal);
    }
    const builds = (await asked()).filter((line) => line.includes('--platform'));
    expect(builds).toEqual([
      expect.stringMatching(/^podman build --format docker /),
      expect.stringMatching(/^buildah bud --layers --format docker /),
    ]);
  });

  test('The engine is signed out even if the push fails', async () => {
    await engine('docker', 'push');
    await expect(pushImage(ecr, 'docker', config, 'abc', signal)).rejects.toThrow(
      'docker ended with 1.',
    );
    expect((await asked()).at(-1)).toBe(`docker logout ${REGISTRY}`);
  });

  test('The first engine that works builds the image; a client without a daemon does not count', async () => {
    await engine('docker', 'info');
    await engine('podman');
    expect(await findEngine()).toBe('podman');
  });

  test('Without an engine, the error says what to install', async () => {
    vi.stubEnv('PATH', programs);
    await expect(findEngine()).rejects.toThrow(/no container engine works here: install or start/);
  });

  test('An image counts as pushed if its tag exists, and not without a repository', async () => {
    const tag = imageTag('ARM64', imageMonth());
    expect(await isPushed(ecr, 'arm', tag)).toBe(false);
    expect(await isPushed(ecr, 'nowhere', tag)).toBe(false);
    await pushByHand('arm', 'ARM64');
    expect(await isPushed(ecr, 'arm', tag)).toBe(true);
    expect(await isPushed(ecr, 'arm', imageTag('X86_64', imageMonth()))).toBe(false);
  });
});
