import { signal } from '@preact/signals';
import type { LibraryItem } from '../schema.ts';

/** `Lecture 2` before `Lecture 10`, as the person's language orders letters. */
export const compareNames = new Intl.Collator(undefined, { numeric: true }).compare;

type Compare = (a: LibraryItem, b: LibraryItem) => number;

const byName: Compare = (a, b) => compareNames(a.title, b.title);
/** ISO 8601 in UTC: the order of the text is that of the time. S3 counts whole seconds, so that a batch has ties. */
const byTime: Compare = (a, b) => {
  if (a.uploadedAt === b.uploadedAt) return 0;
  return a.uploadedAt < b.uploadedAt ? -1 : 1;
};

/** How the list can be sorted. */
export const ORDERS = {
  newest: { label: 'Newest first', compare: (a, b) => byTime(b, a) || byName(a, b) },
  oldest: { label: 'Oldest first', compare: (a, b) => byTime(a, b) || byName(a, b) },
  name: { label: 'By name', compare: byName },
} as const satisfies Readonly<Record<string, { label: string; compare: Compare }>>;

export type Order = keyof typeof ORDERS;
export const orderNames = Object.keys(ORDERS) as Order[];

/** Kept by the browser for the next visit. */
const KEPT = 'vodstack order';

export const order = signal<Order>(parseOrder(localStorage.getItem(KEPT)));

export function chooseOrder(text: string): void {
  order.value = parseOrder(text);
  localStorage.setItem(KEPT, order.value);
}

function parseOrder(text: string | null): Order {
  return orderNames.find((name) => name === text) ?? 'newest';
}
