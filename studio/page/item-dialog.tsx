import type { HTMLAttributes } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LibraryItem, ReadyItem } from '../schema.ts';
import { Copyable, DeleteButton, RetryButton, TitleField, WatchLink } from './actions.tsx';
import { BACKEND_NAME } from './api.ts';
import { bitRateText, bytesText, clock, dayText, skippedSentences } from './format.ts';
import { IconButton } from './icon.tsx';
import { items, library } from './library.ts';
import { LiveRegion } from './live-region.tsx';
import { closeItem, openId } from './route.ts';
import { StateLines } from './state-lines.tsx';

export function ItemDialog() {
  const id = openId.value;
  // Until the library is loaded, an id that is not in it may still exist.
  return id && library.value ? <OpenItem key={id} id={id} /> : null;
}

function OpenItem({ id }: { readonly id: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const item = items.value.find((one) => one.id === id);
  return (
    <dialog
      class="item"
      ref={dialog}
      aria-labelledby="item"
      onClose={() => void closeItem()}
      onClick={({ target, currentTarget }) => {
        // The content covers the whole dialog, so a click on the dialog itself is one on the backdrop.
        if (target === currentTarget) currentTarget.close();
      }}
    >
      <div class={`inside ${item?.state ?? ''}`}>
        <div class="heading">
          <h2 id="item" tabIndex={-1} autofocus>
            {item?.title ?? 'There is no such video'}
          </h2>
          <IconButton icon="close" label="Close" onClick={() => dialog.current?.close()} />
        </div>
        {item ? <Item item={item} /> : <p>It was deleted, or the address is incomplete.</p>}
        <LiveRegion />
      </div>
    </dialog>
  );
}

function Item({ item }: { readonly item: LibraryItem }) {
  return (
    <>
      {item.state === 'ready' ? <Ready item={item} /> : <StateLines item={item} />}
      {item.state === 'waiting' && (
        <>
          <p class="facts">
            A worker starts on it as soon as one is free. If other videos are processed first for a
            long time, queue it again.
          </p>
          <RetryButton item={item} />
        </>
      )}
      {item.state === 'working' && item.stalled && (
        <>
          <p class="facts">
            There has been no progress for ten minutes. If the workers are not busy with other
            videos, queue it again: finished parts are kept.
          </p>
          <RetryButton item={item} />
        </>
      )}
      <footer>
        <p class="facts">
          {item.state === 'ready' && `${clock(item.durationSeconds)} · `}
          <time dateTime={item.uploadedAt}>{dayText(item.uploadedAt)}</time>
          <br />
          {item.fileName}
          {item.state === 'ready' && (
            <>
              <br />
              <WatchLink item={item} />
            </>
          )}
        </p>
        <DeleteButton item={item} />
      </footer>
    </>
  );
}

function Ready({ item }: { readonly item: ReadyItem }) {
  return (
    <>
      <Player item={item} />
      <div class="share">
        <TitleField item={item} />
        <Copyable label="Embed code" text={item.embedCode} />
        <Copyable label="Play address" text={item.playAddress} />
        {library.value?.tokens && (
          <p class="facts">
            Viewers need a token: your site inserts <code>/t/…</code> before <code>/v/</code> in
            these addresses. To watch the video yourself:{' '}
            <code>
              ./scripts/play-address {BACKEND_NAME} {item.id}
            </code>
          </p>
        )}
      </div>
      <Files item={item} />
    </>
  );
}

const PLAYER = '/player/vod-player.js';

/** Loads the player's script when the first video is opened. */
function Player({ item }: { readonly item: ReadyItem }) {
  const [problem, setProblem] = useState('');
  useEffect(() => {
    import(PLAYER).catch(() =>
      setProblem('The player could not be loaded. Reload the page to try again.'),
    );
  }, []);
  return (
    <div class="player">
      <vod-player
        class={item.renditions.length > 0 ? '' : 'sound'}
        src={item.playlist}
        poster={item.poster}
        title={item.title}
      />
      <p class="wrong" role="alert">
        {problem}
      </p>
    </div>
  );
}

declare module 'preact' {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- custom elements are declared this way.
  namespace JSX {
    interface IntrinsicElements {
      'vod-player': HTMLAttributes<HTMLElement> & {
        src: string;
        poster: string | undefined;
        title: string;
      };
    }
  }
}

function Files({ item }: { readonly item: ReadyItem }) {
  return (
    <section aria-labelledby="made">
      <h3 id="made">What was made</h3>
      <table>
        <thead>
          <tr>
            <th scope="col">Rendition</th>
            <th scope="col">Average</th>
            <th scope="col">Peak</th>
            <th scope="col">Stored</th>
          </tr>
        </thead>
        <tbody>
          {item.renditions.map(({ name, width, height, averageBitRate, peakBitRate, bytes }) => (
            <tr key={name}>
              <th scope="row">
                {name}{' '}
                <small>
                  {width} × {height}
                </small>
              </th>
              <td>{bitRateText(averageBitRate)}</td>
              <td>{bitRateText(peakBitRate)}</td>
              <td>{bytesText(bytes)}</td>
            </tr>
          ))}
          {item.audio.map(({ name, label, averageBitRate, bytes }) => (
            <tr key={name}>
              <th scope="row">
                Sound <small>{label}</small>
              </th>
              <td>{bitRateText(averageBitRate)}</td>
              <td />
              <td>{bytesText(bytes)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">
              Total <small>with images</small>
            </th>
            <td />
            <td />
            <td>{bytesText(item.bytes)}</td>
          </tr>
        </tfoot>
      </table>
      {[...skippedSentences(item.skipped), ...item.leftOut].map((sentence) => (
        <p class="facts" key={sentence}>
          {sentence}
        </p>
      ))}
    </section>
  );
}
