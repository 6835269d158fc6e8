import {
  ClientException,
  DescribeTaskDefinitionCommand,
  ECSClient,
  ECSServiceException,
} from '@aws-sdk/client-ecs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { readConfig } from '../../core/environment.ts';
import type { WorkerConfig } from '../../core/environment.ts';
import { openAwsBackend } from '../../core/storage/aws/backend.ts';
import type { Backend } from '../../core/storage/ports.ts';
import type { StageConfig } from '../../infra/config.ts';
import { distributionParameter, nameOf, originParameter, RESOURCES } from '../../infra/names.ts';
import { requireAccount } from './account.ts';
import { findStage } from './find-stage.ts';
import { readParameter } from './parameters.ts';
import { ecsWorkers } from './workers.ts';
import type { Workers } from './workers.ts';

/** A deployed stage, for a command that works on it. */
export interface Stage {
  readonly name: string;
  /** As it is declared here. */
  readonly config: StageConfig;
  /** The environment of its workers: the names of buckets and queues. */
  readonly env: WorkerConfig;
  /** The origin of the videos: `https://…`, without a trailing slash. */
  readonly origin: string;
  readonly backend: Backend;
  /** For the stage's other parameters. */
  readonly ssm: SSMClient;
  readonly workers: Workers;
  close(): Promise<void>;
}

/**
 * Opens a deployed stage by name. It reads the rest from the deployed resources, and needs neither Terraform nor its state.
 * Throws UsageError if there is no such stage, and Error with a remedy if it is not deployed, or if the credentials are
 * missing or belong to another account.
 */
export async function openStage(name: string): Promise<Stage> {
  const config = await findStage(name);
  const { region } = config;
  await requireAccount(config);
  const ecs = new ECSClient({ region });
  const ssm = new SSMClient({ region });
  try {
    const [env, origin] = await Promise.all([readEnvironment(ecs, name), readOrigin(ssm, name)]);
    const backend = await openAwsBackend({ region });
    return {
      name,
      config,
      env,
      origin,
      backend,
      ssm,
      workers: ecsWorkers(ecs, name),
      close: async () => {
        await backend.close();
        ecs.destroy();
        ssm.destroy();
      },
    };
  } catch (error) {
    ecs.destroy();
    ssm.destroy();
    throw error;
  }
}

/** The part of a task definition that holds the workers' environment. */
const taskSchema = z.object({
  containerDefinitions: z
    .array(z.object({ environment: z.array(z.object({ name: z.string(), value: z.string() })) }))
    .length(1),
});

async function readEnvironment(ecs: ECSClient, stage: string): Promise<WorkerConfig> {
  try {
    const { taskDefinition } = await ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: nameOf(stage, RESOURCES.worker) }),
    );
    const task = taskSchema.safeParse(taskDefinition);
    if (!task.success) throw new Error(`The workers of stage ${stage} are none of this version.`);
    const variables = task.data.containerDefinitions.flatMap(({ environment }) => environment);
    return readConfig(Object.fromEntries(variables.map(({ name, value }) => [name, value])));
  } catch (error) {
    // The error of ECS for a name that it does not know.
    if (error instanceof ClientException) throw notDeployed(stage, error);
    if (error instanceof ECSServiceException) throw error;
    throw new Error(`${String(error)}\nDeploy it again: ./scripts/deploy ${stage}`, {
      cause: error,
    });
  }
}

async function readOrigin(ssm: SSMClient, stage: string): Promise<string> {
  const origin = await readParameter(ssm, originParameter(stage));
  if (origin === undefined) throw notDeployed(stage);
  return z.url('is no address').parse(origin);
}

/** Reads the id of a stage's distribution. Throws Error with a remedy if an older version is deployed. */
export async function readDistribution({ ssm, name }: Stage): Promise<string> {
  const id = await readParameter(ssm, distributionParameter(name));
  if (id) return id;
  throw new Error(
    `Stage ${name} does not say which CDN is to forget what is deleted. Deploy it again: ./scripts/deploy ${name}`,
  );
}

function notDeployed(stage: string, cause?: unknown): Error {
  return new Error(`Stage ${stage} is not deployed. Run ./scripts/deploy ${stage}.`, { cause });
}
