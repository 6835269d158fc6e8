import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { CreateRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { findEngine, isPushed, pushImage } from '../../../scripts/aws/image.ts';
import { stage } from '../../../infra/config.ts';
import { nameOf } from '../../../infra/names.ts';
import { describeWithEmulator, useEmulator } from '../../aws/emulator.ts';
import { pushByHand } from '../../deploy/image.ts';
import { imageMonth, imageTag } from '../../../infra/image.ts';

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

  /** A program in the place of an engine: it writes down what it is asked, and fails where it is told to. */
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

  test('is built for its processors and pushed, and the token is in no command line.', async () => {
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

  test('keeps its health check when Podman or Buildah builds it.', async () => {
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

  test('leaves nobody signed in when it cannot be pushed.', async () => {
    await engine('docker', 'push');
    await expect(pushImage(ecr, 'docker', config, 'abc', signal)).rejects.toThrow(
      'docker ended with 1.',
    );
    expect((await asked()).at(-1)).toBe(`docker logout ${REGISTRY}`);
  });

  test('is built by the first engine that answers; a client without a daemon is none.', async () => {
    await engine('docker', 'info');
    await engine('podman');
    expect(await findEngine()).toBe('podman');
  });

  test('cannot be built without an engine, which is said with what to install.', async () => {
    vi.stubEnv('PATH', programs);
    await expect(findEngine()).rejects.toThrow(/no container engine works here: install or start/);
  });

  test('is there when its tag is, and not where there is no repository.', async () => {
    const tag = imageTag('ARM64', imageMonth());
    expect(await isPushed(ecr, 'arm', tag)).toBe(false);
    expect(await isPushed(ecr, 'nowhere', tag)).toBe(false);
    await pushByHand('arm', 'ARM64');
    expect(await isPushed(ecr, 'arm', tag)).toBe(true);
    expect(await isPushed(ecr, 'arm', imageTag('X86_64', imageMonth()))).toBe(false);
  });
});
