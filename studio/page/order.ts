import { signal } from '@preact/signals';
import type { LibraryItem } from '../schema.ts';

/** `Lecture 2` comes before `Lecture 10`. Letters are in the order of the browser's language. */
export const compareNames = new Intl.Collator(undefined, { numeric: true }).compare;

type Compare = (a: LibraryItem, b: LibraryItem) => number;

const byName: Compare = (a, b) => compareNames(a.title, b.title);
/** ISO 8601 in UTC sorts as text. S3 stores whole seconds, so files of one batch often have the same time. */
const byTime: Compare = (a, b) => {
  if (a.uploadedAt === b.uploadedAt) return 0;
  return a.uploadedAt < b.uploadedAt ? -1 : 1;
};

/** The ways to sort the list. */
export const ORDERS = {
  newest: { label: 'Newest first', compare: (a, b) => byTime(b, a) || byName(a, b) },
  oldest: { label: 'Oldest first', compare: (a, b) => byTime(a, b) || byName(a, b) },
  name: { label: 'By name', compare: byName },
} as const satisfies Readonly<Record<string, { label: string; compare: Compare }>>;

export type Order = keyof typeof ORDERS;
export const orderNames = Object.keys(ORDERS) as Order[];

/** The browser keeps the choice for the next visit. */
const STORAGE_KEY = 'vodstack order';

export const order = signal<Order>(parseOrder(localStorage.getItem(STORAGE_KEY)));

export function chooseOrder(text: string): void {
  order.value = parseOrder(text);
  localStorage.setItem(STORAGE_KEY, order.value);
}

function parseOrder(text: string | null): Order {
  return orderNames.find((name) => name === text) ?? 'newest';
}
