import { signal } from '@preact/signals';

/** The id of the open item, which is the fragment of the page's address; empty if no item is open. */
export const openId = signal(idInAddress());

/** Whether the item was opened from this page, so that closing it can go back in the history. */
let openedHere = false;

export function followAddress(): void {
  addEventListener('hashchange', () => {
    openId.value = idInAddress();
    openedHere = openId.value !== '';
  });
}

/** Resolves after the address has changed: a caller that moves the focus earlier loses it to that change. */
export async function closeItem(): Promise<void> {
  if (openId.value === '') return;
  openId.value = '';
  if (!openedHere) return history.replaceState(null, '', location.pathname);
  const changed = new Promise((resolve) => addEventListener('hashchange', resolve, { once: true }));
  history.back();
  await changed;
}

function idInAddress(): string {
  return location.hash.slice(1);
}
