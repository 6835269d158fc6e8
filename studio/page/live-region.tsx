import { spoken } from './speech.ts';

/** Everything outside of an open dialog is silent: each dialog has one of its own. */
export function LiveRegion() {
  return (
    <p class="unseen" role="status">
      {spoken}
    </p>
  );
}
