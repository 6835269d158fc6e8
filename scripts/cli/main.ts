import { runCommand } from './command.ts';
import type { Subcommand } from './command.ts';
import { commandLine } from './file-name.ts';
import { say } from './terminal.ts';

/** Each command is loaded only when it runs: one machine needs neither the AWS SDK nor the stacks. */
const COMMANDS = new Map<string, () => Promise<{ readonly command: Subcommand }>>([
  ['build-player', () => import('../commands/build-player.ts')],
  ['check', () => import('../commands/check.ts')],
  ['dead-letters', () => import('../commands/dead-letters.ts')],
  ['deploy', () => import('../commands/deploy.ts')],
  ['play-address', () => import('../commands/play-address.ts')],
  ['smoke', () => import('../commands/smoke.ts')],
  ['start', () => import('../commands/start.ts')],
  ['status', () => import('../commands/status.ts')],
  ['studio', () => import('../commands/studio.ts')],
  ['teardown', () => import('../commands/teardown.ts')],
  ['upload', () => import('../commands/upload.ts')],
]);

const [name = '', ...argv] = commandLine();
const load = COMMANDS.get(name);
if (load) {
  const { command } = await load();
  await runCommand(command, argv);
} else {
  say(
    `Usage: scripts/cli/main.ts <command> …\nThe commands are ${[...COMMANDS.keys()].join(', ')}.`,
  );
  process.exitCode = 2;
}
