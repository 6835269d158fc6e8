import type { Construct } from 'constructs';
import { stateStackName } from './names.ts';
import { StageStack } from './stack.ts';
import type { StageProps } from './stack.ts';
import { PrivateBucket, rule } from './storage.ts';

/**
 * The bucket that keeps a stage's state, made once: `npx cdktf deploy state-prod`. Its own state
 * stays in a file here. Its name is not one of `prod-*`, so that neither a deploy nor a teardown of
 * the stage touches it.
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
