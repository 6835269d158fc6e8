import { useState } from 'preact/hooks';
import type { LibraryItem, ReadyItem } from '../schema.ts';
import { api } from './api.ts';
import { ask } from './confirm.tsx';
import { bytesText, plural } from './format.ts';
import { Icon } from './icon.tsx';
import { announce } from './messages.ts';
import { closeItem, openId } from './route.ts';
import { useAction } from './use-action.ts';

/** Queues an item's job again: `Try again` after it has ended, `Queue again` before. */
export function RetryButton({ item }: { readonly item: LibraryItem }) {
  const open = item.state === 'waiting' || item.state === 'working';
  const { busy, problem, run } = useAction(async (button: HTMLElement) => {
    const title = button.closest('article, dialog')?.querySelector<HTMLElement>('h3 a, h2');
    await api.retry(item.id);
    announce(`${item.title} is queued again.`);
    // The button is about to disappear.
    title?.focus();
  });
  return (
    <>
      <button type="button" disabled={busy} onClick={({ currentTarget }) => run(currentTarget)}>
        <Icon name="retry" />
        <span>
          {open ? 'Queue again' : 'Try again'}
          <span class="visually-hidden"> {item.title}</span>
        </span>
      </button>
      <p class="wrong" role="alert">
        {problem}
      </p>
    </>
  );
}

/** Opens the watch page in a new tab: uploads continue in this one. */
export function WatchLink({ item }: { readonly item: ReadyItem }) {
  return (
    <a class="watch" href={item.watchPage} target="_blank" rel="noopener">
      Watch page<span class="visually-hidden"> of {item.title}, in a new tab</span>
    </a>
  );
}

export function DeleteButton({ item }: { readonly item: LibraryItem }) {
  const run = async () => {
    await api.remove(item.id);
    announce(`${item.title} is deleted.`);
    if (openId.value === item.id) await closeItem();
  };
  const question = {
    title: `Delete ${item.title}?`,
    text: lossText(item),
    action: 'Delete',
    run,
    focusAfter: '#main',
  };
  return (
    <button type="button" class="danger" onClick={() => ask(question)}>
      <Icon name="remove" /> Delete
    </button>
  );
}

function lossText(item: LibraryItem): string {
  if (item.state !== 'ready')
    return `The uploaded file ${item.fileName} will be deleted permanently.`;
  return `${madeText(item)} and the uploaded file ${item.fileName} will be deleted permanently. Pages that show the video will show an error.`;
}

function madeText({ renditions, bytes }: ReadyItem): string {
  const made = renditions.length > 0 ? plural(renditions.length, 'rendition') : 'The sound';
  return `${made} (${bytesText(bytes)})`;
}

/** Edits the title that viewers see. */
export function TitleField({ item }: { readonly item: ReadyItem }) {
  const [draft, setDraft] = useState<string>();
  const title = draft ?? item.title;
  const { problem, run } = useAction(async () => {
    await api.rename(item.id, { title });
    announce(`The title is now ${title}.`);
  });
  return (
    <form
      class="copyable"
      onSubmit={(event) => {
        event.preventDefault();
        run();
      }}
    >
      <label>
        <span>Title</span>
        <input value={title} onInput={({ currentTarget }) => setDraft(currentTarget.value)} />
      </label>
      <button disabled={title === item.title}>
        Save<span class="visually-hidden"> title</span>
      </button>
      <p class="wrong" role="alert">
        {problem}
      </p>
    </form>
  );
}

/** A read-only text with a button that copies it. */
export function Copyable({ label, text }: { readonly label: string; readonly text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async (field: HTMLTextAreaElement | null | undefined) => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      announce(`${label} copied.`);
      setTimeout(() => setCopied(false), 3000);
    } catch {
      // Browsers allow it only over HTTPS and on this machine.
      field?.select();
      announce(`${label} is selected: copy it with the keyboard.`);
    }
  };
  return (
    <div class="copyable">
      <label>
        <span>{label}</span>
        <textarea readOnly rows={text.split('\n').length} value={text} />
      </label>
      <button
        type="button"
        onClick={({ currentTarget }) =>
          void copy(currentTarget.parentElement?.querySelector('textarea'))
        }
      >
        <Icon name={copied ? 'done' : 'copy'} />
        <span>
          {copied ? 'Copied' : 'Copy'}
          <span class="visually-hidden"> {label.toLowerCase()}</span>
        </span>
      </button>
    </div>
  );
}
