import { signal } from '@preact/signals';

/** The id of the item that is open, which is the address's fragment; empty for none. */
export const openId = signal(idInAddress());

/** Whether closing can go back to where the item was opened from. */
let openedHere = false;

export function followAddress(): void {
  addEventListener('hashchange', () => {
    openId.value = idInAddress();
    openedHere = openId.value !== '';
  });
}

/** Resolves when the address says so, too: going there, the browser takes the focus away. */
export async function closeItem(): Promise<void> {
  if (openId.value === '') return;
  openId.value = '';
  if (!openedHere) return history.replaceState(null, '', location.pathname);
  const there = new Promise((resolve) => addEventListener('hashchange', resolve, { once: true }));
  history.back();
  await there;
}

function idInAddress(): string {
  return location.hash.slice(1);
}
