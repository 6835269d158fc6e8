import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icon.tsx';
import { tell } from './speech.ts';
import { take } from './uploads.ts';

interface ChooseFilesProps {
  readonly children: ComponentChildren;
  readonly class?: string;
  /** What becomes of the files; by default they are uploaded. */
  readonly onFiles?: (files: Iterable<File>) => void;
}

/** A button that asks for files, of whatever kind: what is no video the worker says. */
export function ChooseFiles({ children, onFiles = take, ...button }: ChooseFilesProps) {
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
          // So that the same file can be chosen again.
          currentTarget.value = '';
        }}
      />
    </>
  );
}

const dragging = signal(false);

/** Files may be dropped wherever on the page, and the page says so while they are above it. */
export function DropAnywhere() {
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      dragging.value = true;
    };
    const leave = (event: DragEvent) => {
      // Without another element that is entered, the pointer has left the window.
      if (event.relatedTarget === null) dragging.value = false;
    };
    const drop = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      dragging.value = false;
      take(filesOf(event.dataTransfer));
    };
    document.addEventListener('dragover', over);
    document.addEventListener('dragleave', leave);
    document.addEventListener('drop', drop);
    return () => {
      document.removeEventListener('dragover', over);
      document.removeEventListener('dragleave', leave);
      document.removeEventListener('drop', drop);
    };
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
    tell(`${file.name} is a folder. Drop the files that are in it.`);
    return [];
  });
}
