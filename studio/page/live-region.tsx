import { announcement } from './messages.ts';

/** An open dialog silences everything outside of it, so each dialog contains a live region of its own. */
export function LiveRegion() {
  return (
    <p class="visually-hidden" role="status">
      {announcement}
    </p>
  );
}
