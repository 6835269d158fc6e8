import { signal } from '@preact/signals';

/** The last thing that happened, for who does not see it. */
export const spoken = signal('');

/** Has screen readers say a sentence: what came to an end, and never how far something is. */
export function say(sentence: string): void {
  spoken.value = sentence;
}

/** What went wrong with something a person wanted, until they close it. */
export const notices = signal<readonly string[]>([]);

export function tell(sentence: string): void {
  notices.value = [...notices.value.filter((one) => one !== sentence), sentence];
}
