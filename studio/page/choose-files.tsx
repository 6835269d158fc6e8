import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icon.tsx';
import { addNotice } from './messages.ts';
import { addFiles } from './uploads.ts';

interface ChooseFilesProps {
  readonly children: ComponentChildren;
  readonly class?: string;
  /** Default: upload them. */
  readonly onFiles?: (files: Iterable<File>) => void;
}

/** A button that opens a file picker. It accepts every file: the worker decides what it can read. */
export function ChooseFiles({ children, onFiles = addFiles, ...button }: ChooseFilesProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" {...button} onClick={() => input.current?.click()}>
        {children}
      </button>
      <input
        type="file"
        multiple
        hidden
        ref={input}
        onChange={({ currentTarget }) => {
          onFiles(currentTarget.files ?? []);
          // Otherwise choosing the same file again would not be a change.
          currentTarget.value = '';
        }}
      />
    </>
  );
}

const dragging = signal(false);

/** Accepts files that are dropped anywhere on the page, and shows that while they are dragged over it. */
export function DropAnywhere() {
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      dragging.value = true;
    };
    const leave = (event: DragEvent) => {
      // No element is entered: the pointer has left the window.
      if (event.relatedTarget === null) dragging.value = false;
    };
    const drop = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      dragging.value = false;
      addFiles(filesOf(event.dataTransfer));
    };
    const listening = new AbortController();
    const { signal } = listening;
    document.addEventListener('dragover', over, { signal });
    document.addEventListener('dragleave', leave, { signal });
    document.addEventListener('drop', drop, { signal });
    return () => listening.abort();
  }, []);
  if (!dragging.value) return null;
  return (
    <div class="drop" aria-hidden="true">
      <p>
        <Icon name="upload" /> Drop to upload
      </p>
    </div>
  );
}

function filesOf(dropped: DataTransfer): readonly File[] {
  return [...dropped.items].flatMap((item) => {
    const file = item.kind === 'file' && item.getAsFile();
    if (!file) return [];
    if (!item.webkitGetAsEntry()?.isDirectory) return [file];
    addNotice(`${file.name} is a folder. Drop the files inside it instead.`);
    return [];
  });
}
