import { ChooseFiles } from './choose-files.tsx';
import { ask } from './confirm.tsx';
import { bytesText, plural, timeLeft } from './format.ts';
import { IconButton } from './icon.tsx';
import type { Upload } from './upload.ts';
import { cancel, resumeWith, uploads } from './uploads.ts';

export function UploadList() {
  const count = uploads.value.length;
  if (count === 0) return null;
  return (
    <section aria-labelledby="uploads">
      <h2 id="uploads" tabIndex={-1}>
        {plural(count, 'upload')}
      </h2>
      <ul class="uploads">
        {uploads.value.map((upload) => (
          <UploadRow key={upload} upload={upload} />
        ))}
      </ul>
    </section>
  );
}

function UploadRow({ upload }: { readonly upload: Upload }) {
  const { name, sizeBytes } = upload.identity;
  const state = upload.state.value;
  const { sentBytes } = upload.progress.value;
  return (
    <li class={`upload ${state.at}`}>
      <p class="name">{name}</p>
      <div class="actions">
        {upload.pausable && (
          <IconButton icon="pause" label={`Pause ${name}`} onClick={() => upload.pause()} />
        )}
        {state.at === 'paused' && (
          <IconButton icon="resume" label={`Resume ${name}`} onClick={() => upload.start()} />
        )}
        {state.at === 'failed' && (
          <IconButton icon="retry" label={`Try ${name} again`} onClick={() => upload.start()} />
        )}
        <IconButton icon="close" label={`Cancel ${name}`} onClick={() => askToCancel(upload)} />
      </div>
      <progress value={sentBytes} max={sizeBytes} aria-label={`Upload of ${name}`} />
      <p class="facts">
        <UploadFacts upload={upload} />
      </p>
    </li>
  );
}

function UploadFacts({ upload }: { readonly upload: Upload }) {
  const state = upload.state.value;
  const { sizeBytes } = upload.identity;
  const { sentBytes, bytesPerSecond } = upload.progress.value;
  const sent = `${bytesText(sentBytes)} of ${bytesText(sizeBytes)}`;
  switch (state.at) {
    case 'queued':
      return <>{bytesText(sizeBytes)} · waiting for its turn</>;
    case 'finishing':
      return <>{state.lastError ?? 'All parts are sent; the bucket is joining them.'}</>;
    case 'sending':
      if (state.lastError) return <>{`${sent} · ${state.lastError}`}</>;
      if (bytesPerSecond === undefined) return <>{sent}</>;
      if (bytesPerSecond === 0) return <>{sent} · no data is getting through</>;
      return (
        <>
          {sent} · {bytesText(Math.round(bytesPerSecond))}/s ·{' '}
          {timeLeft((sizeBytes - sentBytes) / bytesPerSecond)}
        </>
      );
    case 'paused':
      return <>{sent} · paused</>;
    case 'interrupted':
      return (
        <>
          {sent} · interrupted. Drop the same file here, or{' '}
          <ChooseFiles class="link" onFiles={resumeWith}>
            choose it again
          </ChooseFiles>
          , to continue.
        </>
      );
    case 'failed':
      return <>{state.reason}</>;
  }
}

function askToCancel(upload: Upload): void {
  const { name } = upload.identity;
  const { sentBytes } = upload.progress.value;
  ask({
    title: `Cancel the upload of ${name}?`,
    text:
      sentBytes > 0
        ? `The ${bytesText(sentBytes)} that were sent will be discarded. To continue later, pause the upload instead.`
        : 'Nothing has been sent yet.',
    action: 'Cancel the upload',
    run: () => cancel(upload),
    focusAfter: uploads.value.length > 1 ? '#uploads' : '.primary',
  });
}
