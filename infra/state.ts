import type { Construct } from 'constructs';
import { stateStackName } from './names.ts';
import { StageStack } from './stack.ts';
import type { StageProps } from './stack.ts';
import { PrivateBucket, rule } from './storage.ts';

/**
 * The bucket of a stage's state, which is created once: `npx cdktf deploy state-prod`. Its own state stays in a local
 * file. The stack's name does not match `prod-*`, so neither a deploy nor a teardown of the stage touches it.
 */
export class StateStack extends StageStack {
  constructor(scope: Construct, props: StageProps & { readonly bucket: string }) {
    const { bucket, config, endpoint } = props;
    const { state: _, ...withoutState } = config;
    super(scope, stateStackName(config.name), { config: withoutState, endpoint });
    new PrivateBucket(this, 'state', {
      bucket,
      versioned: true,
      isKept: true,
      rules: [rule('old-states', { noncurrentVersionExpiration: [{ noncurrentDays: 90 }] })],
    });
  }
}
