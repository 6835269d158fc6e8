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

export function closeItem(): void {
  if (openId.value === '') return;
  openId.value = '';
  if (openedHere) history.back();
  else history.replaceState(null, '', location.pathname);
}

function idInAddress(): string {
  return location.hash.slice(1);
}
