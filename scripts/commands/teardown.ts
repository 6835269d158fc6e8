import { setTimeout as after } from 'node:timers/promises';
import { UpdateServiceCommand } from '@aws-sdk/client-ecs';
import type { ECSClient } from '@aws-sdk/client-ecs';
import {
  GetQueueUrlCommand,
  PurgeQueueCommand,
  PurgeQueueInProgress,
  QueueDoesNotExist,
} from '@aws-sdk/client-sqs';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { keptBuckets } from '../../infra/config.ts';
import type { StageConfig } from '../../infra/config.ts';
import { CONCERNS, nameOf, RESOURCES, stackName } from '../../infra/names.ts';
import type { Concern } from '../../infra/names.ts';
import { requireAccount } from '../aws/account.ts';
import { cdktf, requireTerraform } from '../aws/cdktf.ts';
import { openClients } from '../aws/clients.ts';
import type { Clients } from '../aws/clients.ts';
import { removeTrial } from '../aws/edge-trial.ts';
import { bucketsOf, emptyBucket, emptyRepository } from '../aws/empty.ts';
import { findStage } from '../aws/find-stage.ts';
import { findResources, findLeftovers } from '../aws/leftovers.ts';
import { requireRecordedLocation } from '../aws/recorded-location.ts';
import { readState } from '../aws/state.ts';
import { findService } from '../aws/workers.ts';
import { scriptCommand } from '../cli/arguments.ts';
import { ask } from '../cli/ask.ts';
import { subcommand } from '../cli/command.ts';
import { print, printJson, say, sayAgain } from '../cli/terminal.ts';
import { count } from '../cli/text.ts';

interface TeardownOptions {
  readonly stage: string;
  readonly yes: boolean;
  readonly evenProtected: boolean;
}

export const command = subcommand({
  define: () =>
    scriptCommand('teardown')
      .description(
        'Removes a stage from AWS, with every video in it: stops the workers, empties the queues, the buckets and ' +
          'the image repository, destroys everything, and then looks by tags and by names for what is left. ' +
          'Buckets that existed before (existingBuckets in infra/config.ts) keep their content. If it is ' +
          'interrupted, run it again: it continues.\n\n' +
          'The exit code is 0 if nothing is left. Otherwise it lists what is left: if standard output is not a ' +
          'terminal, as one line of JSON, with all else on standard error.',
      )
      .argument('<stage>')
      .option('--yes', 'do not ask for the name of the stage')
      .option('--even-protected', 'do not ask a second time about a protected stage, such as prod'),
  stopping: 'Stopping as soon as the current change is complete. The same command continues.',
  read: (line): TeardownOptions => ({
    stage: line.stage(),
    yes: line.has('yes'),
    evenProtected: line.has('evenProtected'),
  }),
  run: async (options, stop) => {
    const { stage } = options;
    const config = await findStage(stage);
    await requireTerraform();
    const account = await requireAccount(config);
    await requireRecordedLocation(openClients(config).s3, config, account);
    await confirm(config, account, options, stop);
    return teardown(config, stop);
  },
});

/** Asks for the confirmations that the flags do not give. Throws Error for another answer. */
async function confirm(
  { name, region, protected: isProtected }: StageConfig,
  account: string,
  { yes, evenProtected }: TeardownOptions,
  stop: AbortSignal,
): Promise<void> {
  const demand = async (question: string, answer: string, flag: string) => {
    if (!process.stdin.isTTY)
      throw new Error(`${question}\nNobody can be asked here: add --${flag}.`);
    if ((await ask(question, stop)) !== answer)
      throw new Error('That is something else. Nothing was changed.');
  };
  if (!yes) {
    await demand(
      `Stage ${name} of account ${account}, ${region}, is deleted with all its videos. Type its name:`,
      name,
      'yes',
    );
  }
  if (isProtected && !evenProtected) {
    await demand(
      `Stage ${name} is protected: people watch its videos. Type the number of its account:`,
      account,
      'even-protected',
    );
  }
}

/** Returns the exit code: 0 if nothing is left. */
async function teardown(config: StageConfig, stop: AbortSignal): Promise<number> {
  const { name } = config;
  const { s3, sqs, ecr, ecs } = openClients(config);
  const isDeployed = async (concern: Concern) =>
    (await readState(s3, config, stackName(name, concern))).resources > 0;
  const known = await Promise.all(CONCERNS.map(isDeployed));
  if (!known.includes(true)) {
    say(`Terraform knows of nothing in stage ${name}, here or in the bucket of its state.`);
    return report(config, await findResources(config));
  }
  await cdktf(['synth'], stop);
  const destroy = async (concern: Concern) => {
    // A stack that does not exist cannot be planned.
    if (!(await isDeployed(concern))) return;
    say(`Destroying ${stackName(name, concern)} …`);
    const alone = ['--skip-synth', '--ignore-missing-stack-dependencies', '--skip-provider-lock'];
    await cdktf(['destroy', stackName(name, concern), '--auto-approve', ...alone], stop);
  };
  await purgeQueues(sqs, name);
  await stopWorkers(ecs, name, stop);
  // Everything that could still write to the buckets is removed before they are emptied.
  for (const concern of CONCERNS.toReversed()) {
    if (concern === 'storage') await emptyStorage({ s3, ecr }, config, stop);
    await destroy(concern);
  }
  await removeTrial(name);
  say('Looking for what is left, which AWS knows after a while …');
  return report(config, await findLeftovers(config, stop));
}

/** Messages in the work queues would make scaling start workers again. */
async function purgeQueues(sqs: SQSClient, stage: string): Promise<void> {
  for (const role of ['jobs', 'units', 'dead-letters', 'events']) {
    try {
      const { QueueUrl } = await sqs.send(
        new GetQueueUrlCommand({ QueueName: nameOf(stage, role) }),
      );
      await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    } catch (error) {
      // It was purged less than a minute ago, or does not exist.
      if (error instanceof PurgeQueueInProgress || error instanceof QueueDoesNotExist) continue;
      throw error;
    }
  }
  say('The queues are empty.');
}

/** Stops each worker, which gives its unit back. Terraform waits for workers that take longer. */
async function stopWorkers(ecs: ECSClient, stage: string, stop: AbortSignal): Promise<void> {
  const workers = nameOf(stage, RESOURCES.workers);
  if ((await findService(ecs, stage))?.status !== 'ACTIVE') return;
  await ecs.send(new UpdateServiceCommand({ cluster: workers, service: workers, desiredCount: 0 }));
  for (let looks = 30; looks > 0; looks -= 1) {
    const service = await findService(ecs, stage);
    const running = (service?.runningCount ?? 0) + (service?.pendingCount ?? 0);
    if (running === 0) return say('No worker runs.');
    say(`Waiting for ${count(running, 'worker')} to end …`);
    await after(10_000, undefined, { signal: stop });
  }
}

async function emptyStorage(
  { s3, ecr }: Pick<Clients, 's3' | 'ecr'>,
  config: StageConfig,
  stop: AbortSignal,
): Promise<void> {
  for (const bucket of await bucketsOf(s3, config)) {
    const shown = counter(`${bucket}: objects deleted`);
    await emptyBucket(s3, bucket, shown.tell, stop).finally(shown.end);
  }
  await emptyRepository(ecr, config.name);
  say('The buckets and the image repository are empty.');
}

/** Counts on one line of a terminal; elsewhere prints the last number. The total is unknown beforehand. */
function counter(label: string) {
  let last = 0;
  const show = () => sayAgain(`${label}: ${last.toLocaleString('en')}`);
  return {
    tell: (count: number) => {
      last = count;
      if (process.stderr.isTTY) show();
    },
    end: () => {
      show();
      say('');
    },
  };
}

/** Prints what is left, and what stays on purpose. Returns the exit code. */
function report(config: StageConfig, left: readonly string[]): number {
  const { name } = config;
  const kept = keptBuckets(config);
  if (process.stdout.isTTY) {
    const tail = kept.length > 0 ? `Not touched: ${kept.join(', ')}.\n` : '';
    const news =
      left.length > 0
        ? `Left of stage ${name}, and maybe paid for:\n  ${left.join('\n  ')}\n`
        : `Nothing of stage ${name} is left.\n`;
    print(`${news}${tail}`);
  } else printJson({ stage: name, left, kept });
  return left.length === 0 ? 0 : 1;
}
