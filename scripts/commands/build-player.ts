import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readArguments, UsageError } from '../cli/arguments.ts';
import { runCommand } from '../cli/command.ts';
import { print } from '../cli/terminal.ts';
import { buildPlayer } from '../../player/build.ts';
import { measureSizes } from '../../player/sizes.ts';

const HELP = `Usage: npm run build:player [-- FOLDER]

Writes the player, vod-player.js, to a folder (default: dist) for who hosts it themselves.
`;

await runCommand({
  name: 'npm run build:player --',
  help: HELP,
  stopping: 'Stopping.',
  read: (argv) => {
    const { words, has, mistakes: wrong } = readArguments(argv, { help: 'boolean' });
    if (has('help')) return 'help';
    const mistakes = [...wrong, ...(words.length > 1 ? ['One folder at a time.'] : [])];
    if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
    return { folder: resolve(words[0] ?? 'dist') };
  },
  run: async ({ folder }) => {
    const player = await buildPlayer();
    const path = join(folder, 'vod-player.js');
    await mkdir(folder, { recursive: true });
    await writeFile(path, player);
    const { raw, gzip, brotli } = measureSizes(player);
    print(`${path}: ${raw} bytes, ${gzip} with gzip, ${brotli} with brotli\n`);
    return 0;
  },
});
