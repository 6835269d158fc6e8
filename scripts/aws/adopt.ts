import { DescribeRepositoriesCommand, RepositoryNotFoundException } from '@aws-sdk/client-ecr';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { StageConfig } from '../../infra/config.ts';
import {
  CONCERNS,
  edgeKeysParameter,
  nameOf,
  originSecretParameter,
  RESOURCES,
  stackName,
} from '../../infra/names.ts';
import type { Clients } from './clients.ts';
import { trialName } from './edge-trial.ts';
import { listGlobalResources } from './named-resources.ts';
import type { Importable } from './named-resources.ts';
import { readParameter } from './parameters.ts';
import { readState } from './state.ts';
import { taggedIn } from './tagged.ts';
import { findService } from './workers.ts';

/**
 * Returns the resources that a killed deploy has left, for Terraform to import. Throws Error if resources exist but no
 * state knows the stage: it may be deployed from elsewhere, and must not be taken over.
 */
export async function findAdoptable(
  clients: Clients,
  config: StageConfig,
): Promise<readonly Importable[]> {
  const { unrecorded, isKnown } = await findUnrecorded(clients, config);
  if (unrecorded.length === 0 || isKnown) return unrecorded;
  const { name, state } = config;
  throw new Error(
    `There is something of stage ${name} in AWS, and its state ${state ? `in ${state.bucket}` : 'in this folder'} ` +
      `knows nothing of it: ${namesOf(unrecorded)}. Nothing was changed. If the stage is deployed from elsewhere, ` +
      'go on there, or bring its state here. If not, a deploy was killed before it wrote anything down: delete ' +
      'these, and deploy again.',
  );
}

/** `aws_iam_role vodstack-dev-task, …` */
export function namesOf(things: readonly Importable[]): string {
  return things.map(({ type, name }) => `${type} ${name}`).join(', ');
}

/**
 * Lists the resources that a killed deploy has created but not recorded: they have a name of the stage, are in no Terraform
 * state, and AWS would refuse to create them again. Other resources need no import: creating them again by name is
 * harmless (queues, topics, alarms, clusters), or makes another one beside the first. `isKnown` is whether any state knows
 * the stage.
 */
export async function findUnrecorded(
  { s3, ecr, ecs }: Clients,
  config: StageConfig,
): Promise<{ readonly unrecorded: readonly Importable[]; readonly isKnown: boolean }> {
  const { name: stage, region } = config;
  const workers = nameOf(stage, RESOURCES.workers);
  const service = await findService(ecs, stage);
  const found: readonly Importable[] = [
    ...(await listGlobalResources(nameOf(stage, ''))),
    ...(await logGroups(region, stage)),
    ...(await repository(ecr, nameOf(stage, RESOURCES.worker))),
    ...(await secrets(region, [originSecretParameter(stage), edgeKeysParameter(stage)])),
    ...(service?.status === 'ACTIVE'
      ? [{ type: 'aws_ecs_service', name: workers, id: `${workers}/${workers}` }]
      : []),
  ];
  const states = await Promise.all(
    CONCERNS.map((concern) => readState(s3, config, stackName(stage, concern))),
  );
  const recorded = new Set(states.flatMap(({ names }) => names));
  return {
    unrecorded: found
      .filter(({ type, name }) => !recorded.has(`${type} ${name}`) && name !== trialName(stage))
      .map(({ type, name, id }) => ({ type, name, id })),
    isKnown: states.some(({ resources }) => resources > 0),
  };
}

async function logGroups(region: string, stage: string): Promise<readonly Importable[]> {
  const names = (await taggedIn(region, stage)).flatMap(
    (arn) => /^arn:aws:logs:[^:]*:\d*:log-group:([^:]+)/.exec(arn)?.[1] ?? [],
  );
  return names.map((name) => ({ type: 'aws_cloudwatch_log_group', name, id: name }));
}

async function repository(ecr: Clients['ecr'], name: string): Promise<readonly Importable[]> {
  try {
    await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [name] }));
    return [{ type: 'aws_ecr_repository', name, id: name }];
  } catch (error) {
    if (error instanceof RepositoryNotFoundException) return [];
    throw error;
  }
}

/** Finds the parameters that Terraform generates once and does not overwrite. */
async function secrets(region: string, names: readonly string[]): Promise<readonly Importable[]> {
  const ssm = new SSMClient({ region });
  try {
    const values = await Promise.all(names.map((name) => readParameter(ssm, name)));
    const there = names.filter((_, index) => values[index] !== undefined);
    return there.map((name) => ({ type: 'aws_ssm_parameter', name, id: name }));
  } finally {
    ssm.destroy();
  }
}
