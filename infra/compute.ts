import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js';
import { EcsClusterCapacityProviders } from '@cdktf/provider-aws/lib/ecs-cluster-capacity-providers/index.js';
import { EcsCluster } from '@cdktf/provider-aws/lib/ecs-cluster/index.js';
import { EcsService } from '@cdktf/provider-aws/lib/ecs-service/index.js';
import { EcsTaskDefinition } from '@cdktf/provider-aws/lib/ecs-task-definition/index.js';
import type { Construct } from 'constructs';
import type { WorkerEnv } from '../core/environment.ts';
import { MAX_RECEIVES, VISIBILITY_SECONDS } from '../core/model/queue-limits.ts';
import type { StageConfig } from './config.ts';
import { nameOf, RESOURCES, stackName } from './names.ts';
import { Network } from './network.ts';
import { declareOutputs } from './outputs.ts';
import type { ComputeOutputs } from './outputs.ts';
import type { QueuesStack } from './queues.ts';
import { Roles } from './roles.ts';
import { Scaling } from './scaling.ts';
import { StageStack } from './stack.ts';
import type { StageProps } from './stack.ts';
import type { StorageStack } from './storage.ts';

export interface ComputeProps extends StageProps {
  readonly storage: StorageStack;
  readonly queues: QueuesStack;
  /** The tag of the worker's image in the stage's repository. */
  readonly imageTag: string;
}

/** The only folder that a worker can write to. The image declares it as a volume that the worker's user owns. */
const SCRATCH = '/tmp';

/** The workers: Fargate tasks, as many as there is work for. */
export class ComputeStack extends StageStack {
  constructor(scope: Construct, { storage, queues, imageTag, ...props }: ComputeProps) {
    super(scope, stackName(props.config.name, 'compute'), props);
    const { name, region, worker, retention, minWorkers, maxWorkers } = this.config;
    const logs = new CloudwatchLogGroup(this, 'logs', {
      name: nameOf(name, RESOURCES.worker),
      retentionInDays: retention.logs,
    });
    const roles = new Roles(this, 'roles', {
      stage: name,
      region,
      storage,
      queues,
      logGroupArn: logs.arn,
    });
    const image = `${storage.repository.repositoryUrl}:${imageTag}`;
    const environment = workerEnvironment(this.config, storage, queues);
    const task = new EcsTaskDefinition(this, 'task', {
      family: nameOf(name, RESOURCES.worker),
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      cpu: String(worker.cpuUnits),
      memory: String(worker.memoryMiB),
      runtimePlatform: { operatingSystemFamily: 'LINUX', cpuArchitecture: worker.architecture },
      taskRoleArn: roles.taskArn,
      executionRoleArn: roles.executionArn,
      // The 20 GiB that each task has free of charge are enough: a minute of all renditions at their maximum
      // bitrates is 0.2 GB, and segments are uploaded as they are made.
      volume: [{ name: 'scratch' }],
      containerDefinitions: JSON.stringify([
        containerDefinition({ image, environment, logGroup: logs.name, region }),
      ]),
    });
    const network = new Network(this, 'network', { name: nameOf(name, RESOURCES.workers), region });
    const cluster = new EcsCluster(this, 'cluster', { name: nameOf(name, RESOURCES.workers) });
    const providers = new EcsClusterCapacityProviders(this, 'providers', {
      clusterName: cluster.name,
      capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
    });
    const service = new EcsService(this, 'workers', {
      name: nameOf(name, RESOURCES.workers),
      cluster: cluster.arn,
      taskDefinition: task.arn,
      desiredCount: minWorkers,
      capacityProviderStrategy: capacity(worker.spotPercent),
      // Otherwise the provider replaces the service when spotPercent changes:
      // https://github.com/hashicorp/terraform-provider-aws/issues/11351
      forceNewDeployment: true,
      networkConfiguration: {
        subnets: [...network.subnetIds],
        securityGroups: [network.securityGroupId],
        // Without a NAT gateway, tasks need one to reach the registry, the queues and the logs.
        assignPublicIp: true,
      },
      // Workers serve nobody, so all of them may be replaced at once. Old and new ones share the queues.
      deploymentMinimumHealthyPercent: 0,
      deploymentMaximumPercent: 200,
      deploymentCircuitBreaker: { enable: true, rollback: true },
      propagateTags: 'SERVICE',
      enableEcsManagedTags: true,
      // Scaling sets it.
      lifecycle: { ignoreChanges: ['desired_count'] },
      dependsOn: [providers, ...roles.policies],
    });
    new Scaling(this, 'scaling', {
      stage: name,
      clusterName: cluster.name,
      service,
      minWorkers,
      maxWorkers,
      queues: { jobs: queues.jobs.name, units: queues.units.name },
    });
    declareOutputs<ComputeOutputs>(this, {
      clusterName: cluster.name,
      serviceName: service.name,
      taskDefinition: task.arn,
      logGroup: logs.name,
      image,
    });
  }
}

/** The worker's environment. Its type is the worker's own contract, so a missing variable fails type checking. */
function workerEnvironment(
  { name, ladder, soundAlone }: StageConfig,
  { sourceBucket, workBucket, deliveryBucket }: StorageStack,
  { jobs, units, deadLetters, events }: QueuesStack,
): WorkerEnv {
  return {
    VODSTACK_HOME: 'aws:',
    SOURCE_BUCKET: sourceBucket.name,
    WORK_BUCKET: workBucket.name,
    DELIVERY_BUCKET: deliveryBucket.name,
    JOB_QUEUE: jobs.url,
    UNIT_QUEUE: units.url,
    DEAD_LETTER_QUEUE: deadLetters.url,
    EVENT_QUEUE: events.url,
    MAX_RECEIVES: String(MAX_RECEIVES),
    VISIBILITY_SECONDS: String(VISIBILITY_SECONDS),
    LADDER: ladder.join(','),
    SOUND_ALONE: soundAlone,
    WORK_DIRECTORY: SCRATCH,
    METRICS_NAMESPACE: nameOf(name, RESOURCES.metrics),
  };
}

interface ContainerProps {
  readonly image: string;
  readonly environment: WorkerEnv;
  readonly logGroup: string;
  readonly region: string;
}

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html */
function containerDefinition({ image, environment, logGroup, region }: ContainerProps) {
  return {
    name: 'worker',
    image,
    essential: true,
    environment: Object.entries({ ...environment, AWS_REGION: region })
      .map(([name, value]: [string, string]) => ({ name, value }))
      // ECS returns them sorted; another order would be a difference in each plan.
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    readonlyRootFilesystem: true,
    mountPoints: [{ sourceVolume: 'scratch', containerPath: SCRATCH, readOnly: false }],
    linuxParameters: { capabilities: { drop: ['ALL'] } },
    // Fargate's maximum, in seconds. A worker returns its unit to the queue much sooner.
    stopTimeout: 120,
    healthCheck: {
      // A worker creates this folder when it starts, and removes it when it ends.
      command: ['CMD-SHELL', `test -w ${SCRATCH}/vodstack-worker-*`],
      interval: 30,
      timeout: 5,
      retries: 3,
      startPeriod: 60,
    },
    logConfiguration: {
      logDriver: 'awslogs',
      options: {
        'awslogs-group': logGroup,
        'awslogs-region': region,
        'awslogs-stream-prefix': 'worker',
      },
    },
  };
}

/**
 * Splits tasks between on-demand and Spot capacity. ECS does not start a Spot task elsewhere if there is no Spot
 * capacity, so the first task of a mixture is always on demand: the work continues, if slowly.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
 */
function capacity(spotPercent: number) {
  const base = spotPercent > 0 ? { base: 1 } : {};
  return [
    { capacityProvider: 'FARGATE', weight: 100 - spotPercent, ...base },
    { capacityProvider: 'FARGATE_SPOT', weight: spotPercent },
  ].filter(({ weight }) => weight > 0);
}
