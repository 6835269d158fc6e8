import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { CACHE_POLICIES } from '../behaviours.ts';
import type { CachePolicyName } from '../behaviours.ts';
import type { ObjectInfo } from '../../core/storage/ports.ts';
import { readObject } from './origin.ts';
import type { RangeHeaders, ReadableStore } from './origin.ts';
import type { Reply } from '../../core/http/reply.ts';

/** A larger object is passed on as it comes, and not kept. */
const MOST_OBJECT_BYTES = 8 * 2 ** 20;
/** What was not asked for longest makes room. */
const MOST_BYTES = 64 * 2 ** 20;

interface Entry {
  readonly info: ObjectInfo;
  readonly bytes: Buffer;
  readonly since: number;
  readonly until: number;
}

export interface CacheRequest {
  readonly method: string;
  /** What objects are kept by: the path alone, as the function left it. */
  readonly path: string;
  readonly bucket: string;
  readonly key: string;
  readonly policy: CachePolicyName;
  readonly headers: RangeHeaders;
}

/**
 * What an edge keeps of an origin, and for how long. It says what it did as CloudFront does, in X-Cache.
 * Nothing that is meant for one viewer goes in: headers for its origin and its encoding come after it.
 */
export class EdgeCache {
  readonly #origin: ReadableStore;
  readonly #clock: () => number;
  readonly #mostBytes: number;
  /** The one that was not asked for longest comes first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(origin: ReadableStore, clock: () => number = Date.now, mostBytes = MOST_BYTES) {
    this.#origin = origin;
    this.#clock = clock;
    this.#mostBytes = mostBytes;
  }

  async read(request: CacheRequest): Promise<Reply> {
    const { path, bucket, key } = request;
    const kept = this.#entries.get(path);
    if (kept && this.#clock() < kept.until) return this.#answer(kept, request, 'Hit');
    const info = await this.#origin.head(bucket, key);
    if (kept && info?.etag === kept.info.etag) {
      return this.#answer(this.#keep(kept.bytes, info, request), request, 'RefreshHit');
    }
    this.#drop(path);
    const small = info !== undefined && info.sizeBytes <= MOST_OBJECT_BYTES;
    if (small && request.method === 'GET' && lifetime(info, request.policy) > 0) {
      const found = await this.#origin.get(bucket, key);
      if (found) {
        const entry = this.#keep(await buffer(found.body), found.info, request);
        return this.#answer(entry, request, 'Miss');
      }
    }
    return labelled(await readObject(this.#origin, bucket, key, request.headers), 'Miss');
  }

  /** Drops what is kept below a path. */
  forget(prefix: string): void {
    for (const path of [...this.#entries.keys()]) if (path.startsWith(prefix)) this.#drop(path);
  }

  async #answer(entry: Entry, request: CacheRequest, how: How): Promise<Reply> {
    const { path, bucket, key } = request;
    if (this.#entries.delete(path)) this.#entries.set(path, entry);
    const reply = labelled(await readObject(storeOf(entry), bucket, key, request.headers), how);
    if (how !== 'Hit') return reply;
    const age = String(Math.floor((this.#clock() - entry.since) / 1000));
    return { ...reply, headers: { ...reply.headers, age } };
  }

  #keep(bytes: Buffer, info: ObjectInfo, { path, policy }: CacheRequest): Entry {
    this.#drop(path);
    const since = this.#clock();
    const entry = { info, bytes, since, until: since + lifetime(info, policy) * 1000 };
    this.#entries.set(path, entry);
    this.#bytes += bytes.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#mostBytes) break;
      this.#drop(oldest);
    }
    return entry;
  }

  #drop(path: string): void {
    this.#bytes -= this.#entries.get(path)?.bytes.length ?? 0;
    this.#entries.delete(path);
  }
}

/**
 * Seconds that an edge keeps an object for.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
 */
function lifetime({ cacheControl = '' }: ObjectInfo, name: CachePolicyName): number {
  const policy = CACHE_POLICIES[name];
  const said = cacheControl.toLowerCase();
  if (/\b(no-cache|no-store|private)\b/.test(said)) return policy.least;
  const seconds = /\bs-maxage=(\d+)/.exec(said)?.[1] ?? /\bmax-age=(\d+)/.exec(said)?.[1];
  const wanted = seconds === undefined ? policy.unsaid : Number(seconds);
  return Math.min(Math.max(wanted, policy.least), policy.most);
}

function storeOf({ info, bytes }: Entry): ReadableStore {
  return {
    head: async () => info,
    get: async (_bucket, _key, range) => {
      const { first, last = bytes.length - 1 } = range ?? { first: 0 };
      return { info, body: Readable.from([bytes.subarray(first, last + 1)]) };
    },
  };
}

type How = 'Hit' | 'Miss' | 'RefreshHit' | 'FunctionGeneratedResponse';

/** Says how a reply came about. */
export function labelled(reply: Reply, how: How): Reply {
  const error = reply.status >= 400 && how !== 'FunctionGeneratedResponse';
  const said = `${error ? 'Error' : how} from cloudfront`;
  return { ...reply, headers: { ...reply.headers, 'x-cache': said } };
}
