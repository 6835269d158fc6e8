import { ask } from './confirm.tsx';
import { ChooseFiles } from './choose-files.tsx';
import { Icon } from './icon.tsx';
import type { Upload } from './upload.ts';
import { cancel, goOn, uploads } from './uploads.ts';
import { bytesText, plural, timeLeft } from './words.ts';

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
  const { name, sizeBytes } = upload.mark;
  const state = upload.state.value;
  const { sentBytes } = upload.progress.value;
  return (
    <li class={`upload ${state.at}`}>
      <p class="name">{name}</p>
      <div class="actions">
        {upload.pausable && (
          <button class="plain" aria-label={`Pause ${name}`} onClick={() => upload.pause()}>
            <Icon name="pause" />
          </button>
        )}
        {state.at === 'paused' && (
          <button class="plain" aria-label={`Go on with ${name}`} onClick={() => upload.start()}>
            <Icon name="resume" />
          </button>
        )}
        {state.at === 'failed' && (
          <button class="plain" aria-label={`Try ${name} again`} onClick={() => upload.start()}>
            <Icon name="retry" />
          </button>
        )}
        <button class="plain" aria-label={`Cancel ${name}`} onClick={() => askToCancel(upload)}>
          <Icon name="close" />
        </button>
      </div>
      <progress value={sentBytes} max={sizeBytes} aria-label={`Sent of ${name}`} />
      <p class="facts">
        <UploadFacts upload={upload} />
      </p>
    </li>
  );
}

function UploadFacts({ upload }: { readonly upload: Upload }) {
  const state = upload.state.value;
  const { sizeBytes } = upload.mark;
  const { sentBytes, bytesPerSecond } = upload.progress.value;
  const sent = `${bytesText(sentBytes)} of ${bytesText(sizeBytes)}`;
  switch (state.at) {
    case 'queued':
      return <>{bytesText(sizeBytes)} · waits for its turn</>;
    case 'finishing':
      return <>{state.trouble ?? 'All is sent; the bucket puts it together.'}</>;
    case 'sending':
      if (state.trouble) return <>{`${sent} · ${state.trouble}`}</>;
      if (bytesPerSecond === undefined) return <>{sent}</>;
      if (bytesPerSecond === 0) return <>{sent} · nothing gets through just now</>;
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
          <ChooseFiles class="link" onFiles={goOn}>
            choose it again
          </ChooseFiles>
          , and it goes on from there.
        </>
      );
    case 'failed':
      return <>{state.reason}</>;
  }
}

function askToCancel(upload: Upload): void {
  const { name } = upload.mark;
  const { sentBytes } = upload.progress.value;
  ask({
    title: `Cancel the upload of ${name}?`,
    text:
      sentBytes > 0
        ? `The ${bytesText(sentBytes)} that are sent are thrown away. To go on later, pause it instead.`
        : 'Nothing of it is sent yet.',
    action: 'Cancel the upload',
    run: () => cancel(upload),
    focusAfter: uploads.value.length > 1 ? '#uploads' : '.primary',
  });
}
