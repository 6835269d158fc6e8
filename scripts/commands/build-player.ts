import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { buildPlayer } from '../../player/build.ts';
import { measureSizes } from '../../player/sizes.ts';
import { subcommand } from '../cli/command.ts';
import { print } from '../cli/terminal.ts';

export const command = subcommand({
  define: () =>
    new Command('npm run build:player --')
      .description(
        'Writes the player, vod-player.js, to a folder, so that you can host it yourself.',
      )
      .argument('[folder]', '(default: dist)'),
  stopping: 'Stopping.',
  read: ({ words, mistakes }) => {
    if (words.length > 1) mistakes.push('One folder at a time.');
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
