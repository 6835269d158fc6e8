import { Smoke } from '../aws/smoke-run.ts';
import { openStage } from '../aws/stage.ts';
import { scriptCommand } from '../cli/arguments.ts';
import { subcommand, unlessStopped } from '../cli/command.ts';

export const command = subcommand({
  define: () =>
    scriptCommand('smoke')
      .description(
        'Tests a deployed stage from outside, within about ten minutes and for a few cents: uploads a clip of two ' +
          'seconds, measures how long workers take to start from none, fetches the video as a page of an allowed ' +
          'site, as a page of another site and past the CDN, deletes it, and looks for the logs of the CDN. Each ' +
          'line says OK, or what is wrong and what to do.\n\n' +
          'The exit code is 0 if nothing is wrong. Checks that could not run, such as in an emulator of AWS, are ' +
          'named and count as neither.',
      )
      .argument('<stage>')
      .option(
        '--teardown',
        'at the end, remove the stage with every video in it; not for a protected stage',
      )
      .option('--json', 'print one line of JSON'),
  stopping: 'Stopping; the clip is removed.',
  read: (line) => ({
    stage: line.stage(),
    teardown: line.has('teardown'),
    json: line.has('json'),
  }),
  run: async ({ stage: name, teardown, json }, stop) => {
    const stage = await unlessStopped(openStage(name), stop);
    try {
      if (teardown && stage.config.protected) {
        throw new Error(`Stage ${name} is protected: ./scripts/teardown ${name} takes it away.`);
      }
      const smoke = new Smoke(stage, json, stop);
      await smoke.everything();
      if (teardown) await smoke.teardown();
      return smoke.report();
    } finally {
      await stage.close();
    }
  },
});
