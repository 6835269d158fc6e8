import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SSMClient } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { ADOPTED } from '../../infra/adopted.ts';
import type { StageConfig } from '../../infra/config.ts';
import { imageMonth, imageTag } from '../../infra/image.ts';
import { CONCERNS, stackName, stateStackName } from '../../infra/names.ts';
import { readinessOf } from '../../infra/readiness.ts';
import type { Readiness } from '../../infra/readiness.ts';
import { buildPlayer } from '../../player/build.ts';
import { readAccountLimits } from '../aws/account-limits.ts';
import { requireAccount } from '../aws/account.ts';
import { findAdoptable, namesOf } from '../aws/adopt.ts';
import { cdktf, requireTerraform } from '../aws/cdktf.ts';
import { openClients } from '../aws/clients.ts';
import { isEdgeFunctionChanged, trialSentence, tryEdgeFunction } from '../aws/edge-trial.ts';
import { findStage } from '../aws/find-stage.ts';
import { findEngine, imageEdition, isPushed, pushImage } from '../aws/image.ts';
import { drawOriginSecret } from '../aws/origin-secret.ts';
import { isPublished, PLAYER_KEY, publishPlayer } from '../aws/player.ts';
import { publicAccess } from '../aws/public-access.ts';
import { requireRecordedLocation } from '../aws/recorded-location.ts';
import { hasStateBucket, readState } from '../aws/state.ts';
import { scriptCommand } from '../cli/arguments.ts';
import { subcommand } from '../cli/command.ts';
import { print, printJson, say } from '../cli/terminal.ts';

/** The outputs of the stacks: see infra/outputs.ts. */
const made = z.object({
  origin: z.string(),
  distributionDomain: z.string(),
  sourceBucket: z.string(),
  workBucket: z.string(),
  deliveryBucket: z.string(),
  jobQueueUrl: z.string(),
  image: z.string(),
  dashboardName: z.string(),
});

/** The part of cdktf's manifest that names the stacks and their dependencies. */
const manifest = z.object({
  stacks: z.record(z.string(), z.object({ dependencies: z.array(z.string()) })),
});

export const command = subcommand({
  define: () =>
    scriptCommand('deploy')
      .description(
        "Brings a stage of infra/config.ts to AWS: buckets and the image repository, then the worker's image " +
          "unless this month's exists, then the rest, and the player for the pages of the sites. It leaves what is " +
          'unchanged as it is. If it is interrupted, by Ctrl-C or a crash, run it again: it continues.\n\n' +
          'It needs AWS credentials, Terraform and, for a new image, Docker or Podman. At the end it prints what ' +
          'exists: if standard output is not a terminal, as one line of JSON, with all else on standard error.',
      )
      .argument('<stage>')
      .option('--plan', 'show what would change, and change nothing')
      .option(
        '--rebuild',
        "build the worker's image again, with today's updates of its system, even if this month's exists",
      )
      .option(
        '--new-origin-secret',
        'draw another secret for the CDN to send to the delivery bucket, in a stage with accessMode ' +
          'public-read-via-cdn; the present secret stays valid until the next time',
      ),
  stopping: 'Stopping as soon as the current change is complete. The same command continues.',
  read: (line) => ({
    stage: line.stage(),
    onlyPlan: line.has('plan'),
    rebuild: line.has('rebuild'),
    newSecret: line.has('newOriginSecret'),
  }),
  run: async ({ stage, onlyPlan, rebuild, newSecret }, stop) => {
    const config = await findStage(stage);
    const declared = tellReadiness(readinessOf(config), onlyPlan);
    await requireTerraform();
    const account = await requireAccount(config);
    say(`Stage ${config.name}: account ${account}, ${config.region}`);
    const { s3, ecr } = openClients(config);
    await requireRecordedLocation(s3, config, account);
    const limits = await readAccountLimits(s3, config);
    if (limits) {
      say(limits.needs);
      for (const sentence of limits.warnings) say(`Warning: ${sentence}`);
    }
    const allowed = tellReadiness(await publicAccess(s3, config, account), onlyPlan);
    // The processes that cdktf starts later read it, too.
    const chosen = rebuild ? undefined : process.env['VODSTACK_IMAGE_MONTH'];
    process.env['VODSTACK_IMAGE_MONTH'] =
      chosen ?? (await imageEdition(ecr, config, rebuild, new Date()));
    if (!onlyPlan) {
      if (newSecret) await newOriginSecret(config);
      await deploy(config, stop);
      return 0;
    }
    await showPlan(config, stop);
    if (!declared || !allowed) say('It would be refused, for what is said at the top.');
    return 0;
  },
});

async function newOriginSecret({ name, region }: StageConfig): Promise<void> {
  const ssm = new SSMClient({ region });
  try {
    await drawOriginSecret(ssm, name);
  } finally {
    ssm.destroy();
  }
}

/**
 * Prints the reasons against a deploy, and returns whether there are none. Throws Error with the reasons, unless only a
 * plan is wanted.
 */
function tellReadiness({ refusals, warnings }: Readiness, onlyPlan: boolean): boolean {
  if (refusals.length > 0 && !onlyPlan) throw new Error(refusals.join('\n'));
  for (const sentence of refusals) say(`A deploy is refused: ${sentence}`);
  for (const sentence of warnings) say(`Warning: ${sentence}`);
  return refusals.length === 0;
}

/** Deploys the bucket of the state, storage, the image, the other stacks and the player, in this order. Skips what exists. */
async function deploy(config: StageConfig, stop: AbortSignal): Promise<void> {
  const { name } = config;
  const clients = openClients(config);
  const { s3, ecr } = clients;
  const tag = imageTag(config.worker.architecture, imageMonth());
  const left = await findAdoptable(clients, config);
  if (left.length > 0) {
    say(
      `A deploy that was cut off has left these, and Terraform takes them over: ${namesOf(left)}.`,
    );
    process.env[ADOPTED] = JSON.stringify(left);
  }
  const engine = (await isPushed(ecr, name, tag)) ? undefined : await findEngine();
  if (!(await hasStateBucket(s3, config))) await apply(stateStackName(name), stop);
  if (engine) {
    await apply(stackName(name, 'storage'), stop);
    say(`Building the worker's image ${tag} with ${engine}.`);
    await pushImage(ecr, engine, config, tag, stop);
  }
  if (await isEdgeFunctionChanged(config)) await requireEdgeFunction(config, stop);
  await apply(`${name}-*`, stop);
  const states = CONCERNS.map((concern) => readState(s3, config, stackName(name, concern)));
  const outputs: object[] = (await Promise.all(states)).map((state) => state.outputs);
  const all = made.parse(Object.assign({}, ...outputs));
  const player = await buildPlayer();
  if (!(await isPublished(s3, all.deliveryBucket, player))) {
    say(`Uploading the player to s3://${all.deliveryBucket}/${PLAYER_KEY}.`);
    await publishPlayer(s3, all.deliveryBucket, player);
  }
  report(config, all);
}

/** Runs the table of cases in CloudFront's own engine. Throws Error if an answer differs. */
async function requireEdgeFunction(config: StageConfig, stop: AbortSignal): Promise<void> {
  say("Trying the edge function in CloudFront's own engine …");
  const trial = await tryEdgeFunction(config, stop);
  if (trial === undefined) return say('Not tried: this CloudFront has no TestFunction.');
  if (trial.different.length > 0) {
    throw new Error(`${trialSentence(trial)}\nThe function that viewers meet was not changed.`);
  }
  const { cases, maxPercent } = trial;
  say(`It answers all ${cases} cases right, in at most ${maxPercent} % of its time.`);
}

async function apply(stacks: string, stop: AbortSignal): Promise<void> {
  say(`Deploying ${stacks} …`);
  await cdktf(['deploy', stacks, '--auto-approve', '--skip-provider-lock'], stop);
}

/** Shows the plan of each stack. A stack whose dependencies do not exist yet has none. */
async function showPlan(config: StageConfig, stop: AbortSignal): Promise<void> {
  const { name } = config;
  const { s3, ecr } = openClients(config);
  const tag = imageTag(config.worker.architecture, imageMonth());
  await cdktf(['synth'], stop);
  const needs = await readNeeds();
  const missing = new Set<string>();
  const show = async (stack: string) => {
    const absent = needs(stack).filter((one) => missing.has(one));
    if (Object.keys((await readState(s3, config, stack)).outputs).length === 0) missing.add(stack);
    say(
      `\nPlan of ${stack}${absent.length > 0 ? `: all is new, and follows ${absent.join(' and ')}.` : ':'}`,
    );
    if (absent.length > 0) return;
    await cdktf(['diff', stack, '--skip-synth', '--skip-provider-lock'], stop, 1);
  };
  if (await hasStateBucket(s3, config)) {
    for (const concern of CONCERNS) await show(stackName(name, concern));
  } else {
    await show(stateStackName(name));
    say(`All else is new: the state that tells what is there would be in ${config.state?.bucket}.`);
  }
  const isThere = await isPushed(ecr, name, tag);
  say(`\nThe worker's image ${tag} ${isThere ? 'is there.' : 'would be built and pushed.'}`);
  const { outputs } = await readState(s3, config, stackName(name, 'storage'));
  const bucket = z.object({ deliveryBucket: z.string() }).safeParse(outputs);
  const hasPlayer =
    bucket.success && (await isPublished(s3, bucket.data.deliveryBucket, await buildPlayer()));
  say(`The player ${hasPlayer ? 'is there.' : 'would be uploaded.'}`);
  say('Nothing was changed.');
}

/** Reads the dependencies of the stacks from cdktf's manifest. */
async function readNeeds(): Promise<(stack: string) => readonly string[]> {
  const text = await readFile(join('cdktf.out', 'manifest.json'), 'utf8');
  const { stacks } = manifest.parse(JSON.parse(text));
  return (stack) => stacks[stack]?.dependencies ?? [];
}

/** The addresses that a person or a script needs next. */
function report(config: StageConfig, { distributionDomain, ...rest }: z.infer<typeof made>): void {
  const { name, domain, allowedSites } = config;
  if (!process.stdout.isTTY) {
    printJson({ stage: name, ...rest });
    return;
  }
  print(`
Stage ${name} is deployed.
  videos    ${rest.origin}, for pages of ${allowedSites.join(', ')}
  uploads   s3://${rest.sourceBucket}
  delivery  s3://${rest.deliveryBucket}
  player    ${rest.origin}/${PLAYER_KEY} (docs/player.md)
  overview  CloudWatch, dashboard ${rest.dashboardName}
${domain ? `\nPoint ${domain.name} at ${distributionDomain} (CNAME or alias).\n` : ''}
Next: ./scripts/upload ${name} talk.mp4
`);
}
