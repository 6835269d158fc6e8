import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { WorkerEnv } from '../../../core/environment.ts';
import {
  distributionParameter,
  edgeKeysParameter,
  nameOf,
  originParameter,
  playbackKeyParameter,
} from '../../../infra/names.ts';

export const ORIGIN = 'https://d111111abcdef8.cloudfront.net';

/** What a command finds of a stage, where Terraform would have put it, in the AWS that the environment names. */
export class Deployed {
  readonly #stage: string;
  readonly #ecs = new ECSClient();
  readonly #ssm = new SSMClient();

  private constructor(stage: string) {
    this.#stage = stage;
  }

  /** Workers of that environment, none of them wanted. */
  static async open(stage: string, env: WorkerEnv): Promise<Deployed> {
    const deployed = new Deployed(stage);
    await deployed.task(env);
    const name = nameOf(stage, 'workers');
    await deployed.#ecs.send(new CreateClusterCommand({ clusterName: name }));
    await deployed.#ecs.send(
      new CreateServiceCommand({
        ...{ cluster: name, serviceName: name, taskDefinition: nameOf(stage, 'worker') },
        desiredCount: 0,
      }),
    );
    await deployed.#ssm.send(
      new PutParameterCommand({ Name: originParameter(stage), Value: ORIGIN, Type: 'String' }),
    );
    return deployed;
  }

  /** Says where the videos are. */
  async origin(address: string): Promise<void> {
    const origin = { Name: originParameter(this.#stage), Value: address, Overwrite: true };
    await this.#ssm.send(new PutParameterCommand({ ...origin, Type: 'String' }));
  }

  /** Says which CDN the stage has. */
  async distribution(id: string): Promise<void> {
    await this.#ssm.send(
      new PutParameterCommand({
        ...{ Name: distributionParameter(this.#stage), Value: id, Type: 'String' },
      }),
    );
  }

  /** Registers another revision of the workers' task. */
  async task(env: Readonly<Record<string, string>> | WorkerEnv): Promise<void> {
    const environment = Object.entries(env).map(([name, value]: [string, string]) => ({
      ...{ name, value },
    }));
    await this.#ecs.send(
      new RegisterTaskDefinitionCommand({
        family: nameOf(this.#stage, 'worker'),
        containerDefinitions: [{ name: 'worker', image: 'worker', memory: 128, environment }],
      }),
    );
  }

  async wantedWorkers(): Promise<number | undefined> {
    const name = nameOf(this.#stage, 'workers');
    const { services = [] } = await this.#ecs.send(
      new DescribeServicesCommand({ cluster: name, services: [name] }),
    );
    return services[0]?.desiredCount;
  }

  async wantWorkers(desiredCount: number): Promise<void> {
    const name = nameOf(this.#stage, 'workers');
    await this.#ecs.send(new UpdateServiceCommand({ cluster: name, service: name, desiredCount }));
  }

  /** What a deploy does with the keys of playback tokens: those of the edge are there, and the newest is signed with. */
  async deployKeys(keys: string): Promise<void> {
    const [newest] = keys.split(' ');
    const secret = { Type: 'SecureString', Overwrite: true } as const;
    for (const [Name, Value] of [
      [edgeKeysParameter(this.#stage), keys],
      [playbackKeyParameter(this.#stage), newest],
    ]) {
      await this.#ssm.send(new PutParameterCommand({ Name, Value, ...secret }));
    }
  }

  /** The keys that the next deploy brings to the edge, as they are kept. */
  async edgeKeys() {
    const { Parameter } = await this.#ssm.send(
      new GetParameterCommand({ Name: edgeKeysParameter(this.#stage), WithDecryption: true }),
    );
    return { keys: Parameter?.Value ?? '', type: Parameter?.Type };
  }

  close(): void {
    this.#ecs.destroy();
    this.#ssm.destroy();
  }
}
