import { useState } from 'preact/hooks';
import type { LibraryItem, ReadyItem } from '../schema.ts';
import { api } from './api.ts';
import { ask } from './confirm.tsx';
import { Icon } from './icon.tsx';
import { closeItem, openId } from './route.ts';
import { say } from './speech.ts';
import { bytesText, plural } from './words.ts';

/** Has an item worked on that is not; what the button says is `Try again`, unless it has not ended yet. */
export function RetryButton({ item }: { readonly item: LibraryItem }) {
  const open = item.state === 'waiting' || item.state === 'working';
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const retry = async (button: HTMLElement) => {
    const title = button.closest('article, dialog')?.querySelector<HTMLElement>('h3 a, h2');
    setBusy(true);
    try {
      await api.retry(item.id);
      say(open ? `${item.title} is announced again.` : `${item.title} is tried again.`);
      // The button is about to go.
      title?.focus();
      setProblem('');
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  return (
    <>
      <button
        type="button"
        disabled={busy}
        onClick={({ currentTarget }) => void retry(currentTarget)}
      >
        <Icon name="retry" />
        <span>
          {open ? 'Announce again' : 'Try again'}
          <span class="unseen"> {item.title}</span>
        </span>
      </button>
      <p class="wrong" role="alert">
        {problem}
      </p>
    </>
  );
}

/** Leads to the page where a video is watched, in a tab of its own: uploads go on in this one. */
export function WatchLink({ item }: { readonly item: ReadyItem }) {
  return (
    <a class="watch" href={item.watchPage} target="_blank" rel="noopener">
      Watch page<span class="unseen"> of {item.title}, in a new tab</span>
    </a>
  );
}

export function DeleteButton({ item }: { readonly item: LibraryItem }) {
  const run = async () => {
    await api.remove(item.id);
    say(`${item.title} is deleted.`);
    if (openId.value === item.id) await closeItem();
  };
  const question = {
    title: `Delete ${item.title}?`,
    text: whatIsLost(item),
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

function whatIsLost(item: LibraryItem): string {
  if (item.state !== 'ready') return `The uploaded file ${item.fileName} is deleted for good.`;
  return `${whatWasMade(item)} and the uploaded file ${item.fileName} are deleted for good. Pages that show the video will show an error.`;
}

function whatWasMade({ renditions, bytes }: ReadyItem): string {
  const made = renditions.length > 0 ? plural(renditions.length, 'rendition') : 'The sound';
  return `${made} (${bytesText(bytes)})`;
}

/** Changes the title that viewers read. */
export function TitleField({ item }: { readonly item: ReadyItem }) {
  const [draft, setDraft] = useState<string>();
  const [problem, setProblem] = useState('');
  const title = draft ?? item.title;
  const save = async () => {
    try {
      await api.rename(item.id, { title });
      say(`The title is ${title}.`);
      setProblem('');
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form
      class="copyable"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <label>
        <span>Title</span>
        <input value={title} onInput={({ currentTarget }) => setDraft(currentTarget.value)} />
      </label>
      <button disabled={title === item.title}>
        Save<span class="unseen"> title</span>
      </button>
      <p class="wrong" role="alert">
        {problem}
      </p>
    </form>
  );
}

/** A text that can be looked at, and taken away by its button. */
export function Copyable({ label, text }: { readonly label: string; readonly text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async (field: HTMLTextAreaElement | null | undefined) => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      say(`${label} copied.`);
      setTimeout(() => setCopied(false), 3000);
    } catch {
      // Browsers allow it on https and on this machine only.
      field?.select();
      say(`${label} is selected: copy it with the keyboard.`);
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
          <span class="unseen"> {label.toLowerCase()}</span>
        </span>
      </button>
    </div>
  );
}
