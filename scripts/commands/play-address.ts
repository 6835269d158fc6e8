import { pointerKey } from '../../core/model/keys.ts';
import { signAddress } from '../../edge/playback-token.ts';
import { readPlaybackKey, rotatePlaybackKey } from '../aws/playback-keys.ts';
import { openStage } from '../aws/stage.ts';
import type { Stage } from '../aws/stage.ts';
import { scriptCommand } from '../cli/arguments.ts';
import { subcommand, unlessStopped } from '../cli/command.ts';
import { print, printJson, say } from '../cli/terminal.ts';

type PlayAddressOptions = { readonly stage: string } & (
  | { readonly action: 'sign'; readonly asset: string; readonly seconds: number }
  | { readonly action: 'rotate' }
);

const UNIT_SECONDS = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);

const MAX_SECONDS = 365 * 86_400;

export const command = subcommand({
  define: () =>
    scriptCommand('play-address')
      .description(
        'Signs an address at which an asset plays for a limited time, in a stage that requires playback tokens: in ' +
          'apps, and on pages of the allowed sites. Its holder can pass it on, but it opens no other asset. The ' +
          'backend of a site can sign addresses itself: edge/playback-token.ts.\n\n' +
          'The edge accepts two keys. After a rotation new addresses are signed with the new key, and existing ' +
          'addresses stay valid until they expire, or until a second rotation. To revoke all existing addresses, ' +
          'rotate and deploy twice. If standard output is not a terminal, the result is one line of JSON.',
      )
      .usage('<stage> <asset> [--for <time>]\n       ./scripts/play-address <stage> --rotate')
      .option(
        '--for <time>',
        'how long it is valid, as 90s, 15m, 4h or 7d; longer than the video lasts (default: 4h)',
      )
      .option('--rotate', 'draw a new key, which the next deploy brings to the edge'),
  stopping: 'Stopped.',
  read: (line): PlayAddressOptions => {
    const [stage = line.missing('Which stage?'), asset, ...more] = line.words;
    const given = line.value('for');
    if (line.has('rotate')) {
      if (asset !== undefined || given !== undefined) {
        line.mistakes.push('--rotate is for the whole stage.');
      }
      return { stage, action: 'rotate' };
    }
    if (stage !== '' && asset === undefined) line.missing('Which asset?');
    if (asset !== undefined && !/^[0-9a-z]+$/.test(asset)) {
      line.mistakes.push(`${JSON.stringify(asset)} is not the id of an asset.`);
    }
    if (more.length > 0) {
      line.mistakes.push(`One asset at a time, not also ${more.join(', ')}.`);
    }
    const time = given ?? '4h';
    const [, number, unit = ''] = /^(\d+)([smhd])$/.exec(time) ?? [];
    const seconds = Number(number) * (UNIT_SECONDS.get(unit) ?? NaN);
    if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
      line.mistakes.push(
        `--for is a time like 90s, 15m, 4h or 7d, at most 365d, not ${JSON.stringify(time)}.`,
      );
    }
    return { stage, action: 'sign', asset: asset ?? '', seconds };
  },
  run: async (options, stop) => {
    const stage = await unlessStopped(openStage(options.stage), stop);
    try {
      await unlessStopped(act(options, stage), stop);
      return 0;
    } finally {
      await stage.close();
    }
  },
});

async function act(options: PlayAddressOptions, stage: Stage): Promise<void> {
  if (options.action === 'rotate') await rotate(stage);
  else await sign(options.asset, options.seconds, stage);
}

async function sign(asset: string, seconds: number, stage: Stage): Promise<void> {
  const { name, ssm, backend, env, origin } = stage;
  const pointer = pointerKey(asset);
  const [key, found] = await Promise.all([
    readPlaybackKey(ssm, name),
    backend.store.head(env.DELIVERY_BUCKET, pointer),
  ]);
  if (!found) throw new Error(`There is no asset ${asset} in stage ${name}.`);
  const plain = `${origin}/${pointer}`;
  if (key === undefined) throw new Error(`${noTokens(name)} It plays at ${plain}`);
  const now = new Date();
  const address = signAddress(plain, key, seconds, now);
  const expires = new Date(now.getTime() + seconds * 1000);
  report(
    { asset, address, expires },
    `${address}\n`,
    `It is valid until ${expires.toLocaleString()}.`,
  );
}

async function rotate({ name, ssm }: Stage): Promise<void> {
  if (!(await rotatePlaybackKey(ssm, name))) throw new Error(noTokens(name));
  const next = `./scripts/deploy ${name}`;
  report(
    { stage: name, rotated: true, next },
    `A new key is drawn. It takes effect when it is at the edge: ${next}\n`,
    'Existing addresses stay valid until they expire, or until a second rotation.',
  );
}

function noTokens(stage: string): string {
  return `Stage ${stage} has no playback tokens: set playbackTokens in infra/config.ts and run ./scripts/deploy ${stage} to enable them.`;
}

/** Prints the result for a script, or for a person with a sentence that scripts should not read. */
function report(result: object, text: string, sentence: string): void {
  if (!process.stdout.isTTY) return printJson(result);
  print(text);
  say(sentence);
}
