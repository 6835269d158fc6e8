import type { LibraryItem } from '../schema.ts';
import { RetryButton, WatchLink } from './actions.tsx';
import { dayText, timeLeft } from './format.ts';

/** The state of an item in a few words, for its card and for its dialog. */
export function StateLines({ item }: { readonly item: LibraryItem }) {
  switch (item.state) {
    case 'waiting':
      return (
        <p class="facts">
          <span class="badge">Waiting</span> for a worker
        </p>
      );
    case 'working':
      return (
        <>
          <p class="facts">
            {item.lastError ? (
              <>
                <span class="badge retrying">Being tried again</span> {item.lastError}
              </>
            ) : (
              <>
                <span class="badge">Working</span> {Math.floor(item.percent)} %
                {item.secondsLeft !== undefined && ` · ${timeLeft(item.secondsLeft)}`}
              </>
            )}
          </p>
          <progress value={item.percent} max={100} aria-label={`Progress of ${item.title}`} />
        </>
      );
    case 'rejected':
    case 'failed':
      return (
        <>
          <p class="facts">
            <span class="badge wrong">{item.state === 'failed' ? 'Failed' : 'Rejected'}</span>{' '}
            {item.reason} <code>{item.code}</code>
          </p>
          {item.canRetry && <RetryButton item={item} />}
        </>
      );
    case 'ready':
      return (
        <p class="facts">
          <time dateTime={item.uploadedAt}>{dayText(item.uploadedAt)}</time>
          {' · '}
          <WatchLink item={item} />
        </p>
      );
  }
}
