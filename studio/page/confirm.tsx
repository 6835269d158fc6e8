import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { LiveRegion } from './live-region.tsx';
import { useAction } from './use-action.ts';

export interface Question {
  readonly title: string;
  readonly text: string;
  /** The label of the button that runs it. */
  readonly action: string;
  /** If it throws, the dialog shows the error's message. */
  readonly run: () => Promise<void>;
  /** Selects the element that gets the focus afterwards: the one that had it may be gone. */
  readonly focusAfter: string;
}

const asked = signal<Question | undefined>(undefined);

/** Asks for a confirmation before something is lost. */
export function ask(question: Question): void {
  asked.value = question;
}

export function Confirm() {
  return asked.value ? <OpenQuestion question={asked.value} /> : null;
}

function OpenQuestion({ question }: { readonly question: Question }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const done = useRef(false);
  useEffect(() => dialog.current?.showModal(), []);
  const { busy, problem, run } = useAction(async () => {
    await question.run();
    done.current = true;
    dialog.current?.close();
  });
  const close = () => {
    asked.value = undefined;
    if (done.current) document.querySelector<HTMLElement>(question.focusAfter)?.focus();
  };
  return (
    <dialog
      class="question"
      ref={dialog}
      aria-labelledby="question"
      aria-describedby="question-text"
      onClose={close}
    >
      <h2 id="question">{question.title}</h2>
      <p id="question-text">{question.text}</p>
      <p class="wrong" role="alert">
        {problem}
      </p>
      <div class="actions">
        <button type="button" autofocus onClick={() => dialog.current?.close()}>
          Keep it
        </button>
        <button type="button" class="danger" disabled={busy} onClick={() => run()}>
          {question.action}
        </button>
      </div>
      <LiveRegion />
    </dialog>
  );
}
