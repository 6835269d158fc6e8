import { signal } from '@preact/signals';

/** The latest event, for people who use a screen reader. */
export const announcement = signal('');

/** Has screen readers say a sentence. Announce results, not progress. */
export function announce(sentence: string): void {
  announcement.value = sentence;
}

/** Errors, each shown until a person closes it. */
export const notices = signal<readonly string[]>([]);

export function addNotice(sentence: string): void {
  notices.value = [...notices.value.filter((one) => one !== sentence), sentence];
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
