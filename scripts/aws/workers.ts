import {
  ClusterNotFoundException,
  DescribeServicesCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import type { ECSClient } from '@aws-sdk/client-ecs';
import { z } from 'zod';
import { nameOf, RESOURCES } from '../../infra/names.ts';

export interface WorkerCounts {
  readonly running: number;
  /** Pending: a container takes about a minute to start. */
  readonly starting: number;
  readonly wanted: number;
}

/** The workers of a stage, which ECS runs. */
export interface Workers {
  counts(): Promise<WorkerCounts>;
  /** Starts one worker if none is wanted; scaling decides otherwise. */
  wake(): Promise<void>;
}

const serviceSchema = z.object({
  status: z.string(),
  runningCount: z.int(),
  pendingCount: z.int(),
  desiredCount: z.int(),
});

/**
 * Finds the service that runs a stage's workers. Undefined if there is none. ECS returns a deleted service for a while, with
 * another status than ACTIVE.
 */
export async function findService(
  client: ECSClient,
  stage: string,
): Promise<z.infer<typeof serviceSchema> | undefined> {
  const name = nameOf(stage, RESOURCES.workers);
  try {
    const { services = [] } = await client.send(
      new DescribeServicesCommand({ cluster: name, services: [name] }),
    );
    return serviceSchema.optional().parse(services[0]);
  } catch (error) {
    if (error instanceof ClusterNotFoundException) return undefined;
    throw error;
  }
}

/** The functions throw Error if the stage has no workers. */
export function ecsWorkers(client: ECSClient, stage: string): Workers {
  const name = nameOf(stage, RESOURCES.workers);

  const counts = async (): Promise<WorkerCounts> => {
    const service = await findService(client, stage);
    if (service?.status !== 'ACTIVE')
      throw new Error(`Stage ${stage} has no workers: run ./scripts/deploy ${stage}.`);
    const { runningCount, pendingCount, desiredCount } = service;
    return { running: runningCount, starting: pendingCount, wanted: desiredCount };
  };

  return {
    counts,
    wake: async () => {
      if ((await counts()).wanted > 0) return;
      await client.send(
        new UpdateServiceCommand({ cluster: name, service: name, desiredCount: 1 }),
      );
    },
  };
}
