import { runCommand, unlessStopped } from '../cli/command.ts';
import { readSmokeOptions, SMOKE_HELP } from './stage-options.ts';
import { Smoke } from '../aws/smoke-run.ts';
import { openStage } from '../aws/stage.ts';

await runCommand({
  name: './scripts/smoke',
  help: SMOKE_HELP,
  stopping: 'Stopping; the clip is removed.',
  read: readSmokeOptions,
  run: async ({ stage: name, flags }, stop) => {
    const stage = await unlessStopped(openStage(name), stop);
    try {
      if (flags.has('teardown') && stage.config.protected) {
        throw new Error(`Stage ${name} is protected: ./scripts/teardown ${name} takes it away.`);
      }
      const smoke = new Smoke(stage, flags.has('json'), stop);
      await smoke.everything();
      if (flags.has('teardown')) await smoke.teardown();
      return smoke.report();
    } finally {
      await stage.close();
    }
  },
});
