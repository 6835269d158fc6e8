import { computed, signal } from '@preact/signals';
import type { LibraryItem } from '../schema.ts';
import { ChooseFiles } from './choose-files.tsx';
import { clock, plural } from './format.ts';
import { Icon } from './icon.tsx';
import type { IconName } from './icon.tsx';
import { items, library, outage } from './library.ts';
import { ORDERS, chooseOrder, order, orderNames } from './order.ts';
import { StateLines } from './state-lines.tsx';

/** The list has a filter from this many items on. */
const FILTER_FROM = 9;

/** The choices of the filter. */
const GROUPS = {
  all: { label: 'All', has: () => true },
  open: { label: 'In progress', has: ({ state }) => state === 'waiting' || state === 'working' },
  ready: { label: 'Ready', has: ({ state }) => state === 'ready' },
  rejected: { label: 'Rejected', has: ({ state }) => state === 'rejected' },
  failed: { label: 'Failed', has: ({ state }) => state === 'failed' },
} as const satisfies Readonly<
  Record<string, { label: string; has: (item: LibraryItem) => boolean }>
>;

type Group = keyof typeof GROUPS;
const groupNames = Object.keys(GROUPS) as Group[];

const text = signal('');
const group = signal<Group>('all');

const sorted = computed(() => items.value.toSorted(ORDERS[order.value].compare));
const matching = computed(() => {
  const wanted = text.value.trim().toLocaleLowerCase();
  return sorted.value.filter(({ title, fileName }) =>
    `${title}\n${fileName}`.toLocaleLowerCase().includes(wanted),
  );
});
const found = computed(() => matching.value.filter(GROUPS[group.value].has));

export function LibraryList() {
  if (!library.value && items.value.length === 0) {
    return outage.value ? null : <p class="facts loading">Loading videos …</p>;
  }
  if (items.value.length === 0) return <Empty />;
  const filtered = items.value.length >= FILTER_FROM;
  return (
    <section aria-labelledby="videos">
      <div class="heading">
        <h2 id="videos">{plural(items.value.length, 'video')}</h2>
        {filtered && <Filter />}
        {items.value.length > 1 && <SortBy />}
      </div>
      <ul class="items">
        {(filtered ? found : sorted).value.map((item) => (
          <li key={item.id}>
            <Card item={item} />
          </li>
        ))}
      </ul>
      {filtered && found.value.length === 0 && (
        <p class="facts">
          Nothing found.{' '}
          <button
            class="link"
            onClick={() => {
              text.value = '';
              group.value = 'all';
            }}
          >
            Show all
          </button>
        </p>
      )}
    </section>
  );
}

function Empty() {
  return (
    <section class="empty" aria-labelledby="videos">
      <Icon name="film" />
      <h2 id="videos">No videos yet</h2>
      <p>
        Drop files anywhere on this page: whatever a camera, a phone or an editor makes. Each
        becomes a video that plays on the sites you allow, and nowhere else.
      </p>
      <ChooseFiles class="primary">Choose files</ChooseFiles>
    </section>
  );
}

function Filter() {
  const groups = groupNames.flatMap((name) => {
    const count = matching.value.filter(GROUPS[name].has).length;
    return count > 0 || name === 'all' || name === group.value ? [{ name, count }] : [];
  });
  return (
    <search class="filter">
      <input
        type="search"
        placeholder="Find by name"
        aria-label="Find by name"
        value={text}
        onInput={({ currentTarget }) => (text.value = currentTarget.value)}
      />
      <fieldset>
        <legend class="visually-hidden">Show</legend>
        {groups.map(({ name, count }) => (
          <label key={name}>
            <input
              type="radio"
              name="group"
              checked={group.value === name}
              onChange={() => (group.value = name)}
            />
            <span>
              {GROUPS[name].label} <b>{count}</b>
            </span>
          </label>
        ))}
      </fieldset>
      <p class="visually-hidden" role="status">
        {text.value || group.value !== 'all' ? `${found.value.length} found` : ''}
      </p>
    </search>
  );
}

function SortBy() {
  return (
    <select
      class="sort"
      aria-label="Sort videos"
      value={order.value}
      onChange={({ currentTarget }) => chooseOrder(currentTarget.value)}
    >
      {orderNames.map((name) => (
        <option key={name} value={name}>
          {ORDERS[name].label}
        </option>
      ))}
    </select>
  );
}

function Card({ item }: { readonly item: LibraryItem }) {
  return (
    <article class={`card ${item.state}`}>
      <Picture item={item} />
      <div class="about">
        <h3>
          <a href={`#${item.id}`}>{item.title}</a>
        </h3>
        <StateLines item={item} />
      </div>
    </article>
  );
}

function Picture({ item }: { readonly item: LibraryItem }) {
  if (item.state !== 'ready') {
    const icon: IconName =
      item.state === 'rejected' || item.state === 'failed' ? 'problem' : 'film';
    return (
      <div class="picture">
        <Icon name={icon} />
      </div>
    );
  }
  return (
    <div class="picture">
      {item.poster ? <img src={item.poster} alt="" loading="lazy" /> : <Icon name="sound" />}
      <span class="length">
        <span class="visually-hidden">Length </span>
        {clock(item.durationSeconds)}
      </span>
    </div>
  );
}
