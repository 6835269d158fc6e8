import { runCommand, unlessStopped } from '../cli/command.ts';
import { print, printJson, say } from '../cli/terminal.ts';
import { signAddress } from '../../edge/playback-token.ts';
import { pointerKey } from '../../core/model/keys.ts';
import { PLAY_ADDRESS_HELP, readPlayAddressOptions } from './stage-options.ts';
import type { PlayAddressOptions } from './stage-options.ts';
import { readPlaybackKey, rotatePlaybackKey } from '../aws/playback-keys.ts';
import { openStage } from '../aws/stage.ts';
import type { Stage } from '../aws/stage.ts';

await runCommand({
  name: './scripts/play-address',
  help: PLAY_ADDRESS_HELP,
  stopping: 'Stopped.',
  read: readPlayAddressOptions,
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
    `It is good until ${expires.toLocaleString()}.`,
  );
}

async function rotate({ name, ssm }: Stage): Promise<void> {
  if (!(await rotatePlaybackKey(ssm, name))) throw new Error(noTokens(name));
  const next = `./scripts/deploy ${name}`;
  report(
    { stage: name, rotated: true, next },
    `A new key is drawn. It counts once it is at the edge: ${next}\n`,
    'Addresses that are out stay good until they expire, or until a second rotation.',
  );
}

function noTokens(stage: string): string {
  return `Stage ${stage} has no playback tokens: set playbackTokens in infra/config.ts and run ./scripts/deploy ${stage} to have them.`;
}

/** A result for a script, or for a person with a sentence that no script should read. */
function report(result: object, text: string, sentence: string): void {
  if (!process.stdout.isTTY) return printJson(result);
  print(text);
  say(sentence);
}
