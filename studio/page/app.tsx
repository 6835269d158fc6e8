import { BACKEND_NAME } from './api.ts';
import { ChooseFiles, DropAnywhere } from './choose-files.tsx';
import { Confirm } from './confirm.tsx';
import { Icon, IconButton } from './icon.tsx';
import { ItemDialog } from './item-dialog.tsx';
import { LibraryList } from './library-list.tsx';
import { outage } from './library.ts';
import { LiveRegion } from './live-region.tsx';
import { notices } from './messages.ts';
import { UploadList } from './upload-list.tsx';

export function App() {
  return (
    <>
      <header class="top">
        <div class="middle">
          <p class="brand">
            <img src="/studio/icon.svg" alt="" width="28" height="28" />
            <span>vodstack studio</span>
            <span class="backend">{BACKEND_NAME}</span>
          </p>
          <ChooseFiles class="primary">
            <Icon name="upload" />
            <span>
              Upload<span class="wide"> videos</span>
            </span>
          </ChooseFiles>
        </div>
      </header>
      <main id="main" class="middle" tabIndex={-1}>
        <h1 class="visually-hidden">Videos of {BACKEND_NAME}</h1>
        <p class="outage" role="status">
          {outage.value}
        </p>
        <Notices />
        <UploadList />
        <LibraryList />
      </main>
      <LiveRegion />
      <DropAnywhere />
      <ItemDialog />
      <Confirm />
    </>
  );
}

function Notices() {
  const close = (sentence: string) => {
    notices.value = notices.value.filter((one) => one !== sentence);
    document.querySelector<HTMLElement>('.primary')?.focus();
  };
  return (
    <div class="notices" role="alert">
      {notices.value.map((sentence) => (
        <p key={sentence}>
          <span>{sentence}</span>
          <IconButton icon="close" label="Close this message" onClick={() => close(sentence)} />
        </p>
      ))}
    </div>
  );
}
