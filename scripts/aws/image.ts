import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
  ImageNotFoundException,
  paginateListImages,
  RepositoryNotFoundException,
} from '@aws-sdk/client-ecr';
import type { ECRClient } from '@aws-sdk/client-ecr';
import type { StageConfig } from '../../infra/config.ts';
import { imageMonth, imageTag } from '../../infra/image.ts';
import { nameOf, RESOURCES } from '../../infra/names.ts';
import { run } from './run.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Programs that build and push images, with the same command line. */
const ENGINES = ['docker', 'podman', 'buildah'] as const;

export type Engine = (typeof ENGINES)[number];

/** Returns the first engine that works. For Docker, the daemon must answer too. */
export async function findEngine(): Promise<Engine> {
  for (const engine of ENGINES) {
    const works = await promisify(execFile)(engine, ['info']).then(
      () => true,
      () => false,
    );
    if (works) return engine;
  }
  throw new Error(
    "The worker's image has to be built, and no container engine works here: install or start Docker " +
      '(https://docs.docker.com/engine/install) or Podman (apt install podman). Nothing was changed.',
  );
}

/**
 * Returns the edition of the image that a stage gets (see infra/image.ts): the newest one of this content that was rebuilt
 * this month, else the month itself; with `rebuild`, a new edition named by the minute.
 */
export async function imageEdition(
  ecr: ECRClient,
  { name, worker }: Pick<StageConfig, 'name' | 'worker'>,
  rebuild: boolean,
  now: Date,
): Promise<string> {
  if (rebuild) return now.toISOString().slice(0, 16).replace(':', '-');
  const month = imageMonth();
  const content = imageTag(worker.architecture, '');
  const editions = (await tagsIn(ecr, nameOf(name, RESOURCES.worker)))
    .filter((tag) => tag.startsWith(month) && tag.endsWith(content))
    .map((tag) => tag.slice(0, -content.length));
  return editions.sort().at(-1) ?? month;
}

async function tagsIn(ecr: ECRClient, repositoryName: string): Promise<readonly string[]> {
  const tags: string[] = [];
  const asked = { repositoryName, filter: { tagStatus: 'TAGGED' as const } };
  try {
    for await (const { imageIds = [] } of paginateListImages({ client: ecr }, asked)) {
      tags.push(...imageIds.flatMap(({ imageTag: tag }) => tag ?? []));
    }
    return tags;
  } catch (error) {
    if (error instanceof RepositoryNotFoundException) return [];
    throw error;
  }
}

/** Whether the stage's repository already has the image. */
export async function isPushed(ecr: ECRClient, stage: string, tag: string): Promise<boolean> {
  const image = { repositoryName: nameOf(stage, RESOURCES.worker), imageIds: [{ imageTag: tag }] };
  try {
    await ecr.send(new DescribeImagesCommand(image));
    return true;
  } catch (error) {
    const isMissing =
      error instanceof ImageNotFoundException || error instanceof RepositoryNotFoundException;
    if (isMissing) return false;
    throw error;
  }
}

/** Builds the worker's image for the stage's CPU architecture and pushes it under that tag. */
export async function pushImage(
  ecr: ECRClient,
  engine: Engine,
  { name, worker }: StageConfig,
  tag: string,
  stop: AbortSignal,
): Promise<void> {
  const repository = await addressOf(ecr, nameOf(name, RESOURCES.worker));
  const image = `${repository}:${tag}`;
  const platform = worker.architecture === 'ARM64' ? 'linux/arm64' : 'linux/amd64';
  const build = engine === 'buildah' ? ['bud', '--layers'] : ['build'];
  // By default Podman and Buildah write the OCI format, which has no health check.
  const format = engine === 'docker' ? [] : ['--format', 'docker'];
  // Otherwise Docker would push a manifest list with the image and its attestation.
  const env = { ...process.env, BUILDX_NO_DEFAULT_ATTESTATIONS: '1' };
  const engineRuns = (argv: readonly string[], input?: string) =>
    run(engine, argv, { stop, env, ...(input === undefined ? {} : { input }) });

  // Pulls the newest base image of its version, and reuses no layer of another month.
  const fresh = ['--pull', '--build-arg', `MONTH=${imageMonth()}`];
  await engineRuns([...build, ...format, ...fresh, '--platform', platform, '--tag', image, ROOT]);
  const registry = repository.slice(0, repository.indexOf('/'));
  const { username, password } = await signIn(ecr);
  await engineRuns(['login', '--username', username, '--password-stdin', registry], password);
  try {
    await engineRuns(['push', image]);
  } finally {
    // The token is valid for twelve hours, and the engine would keep it in a file.
    await promisify(execFile)(engine, ['logout', registry]);
  }
}

async function addressOf(ecr: ECRClient, repositoryName: string): Promise<string> {
  const { repositories = [] } = await ecr.send(
    new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }),
  );
  const address = repositories[0]?.repositoryUri;
  if (address === undefined) throw new Error(`The repository ${repositoryName} has no address.`);
  return address;
}

async function signIn(ecr: ECRClient): Promise<{ username: string; password: string }> {
  const { authorizationData = [] } = await ecr.send(new GetAuthorizationTokenCommand());
  const token = Buffer.from(authorizationData[0]?.authorizationToken ?? '', 'base64').toString();
  const [username, password] = token.split(':');
  if (!username || !password) throw new Error('ECR gave no token to sign in with.');
  return { username, password };
}
