import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Reply } from '../../core/http/reply.ts';
import type { ObjectInfo } from '../../core/storage/ports.ts';
import { CACHE_POLICIES, DEFAULT_POLICY, PATHS } from '../../edge/behaviours.ts';
import type { CachePolicyName } from '../../edge/behaviours.ts';
import type { OriginRequest } from '../../edge/local/delivery.ts';
import { readObject } from '../../edge/local/origin.ts';
import type { ReadableStore } from '../../edge/local/origin.ts';

interface Entry {
  readonly info: ObjectInfo;
  readonly bytes: Buffer;
  /** When it was stored or validated, and when it becomes stale. Milliseconds. */
  readonly since: number;
  readonly until: number;
}

/**
 * Caches a bucket as CloudFront does under this project's cache policies, and reports in X-Cache whether it
 * did. The cache key is the path alone. Nothing here depends on a viewer's origin or encoding: those headers
 * are added to what this returns.
 */
export class EdgeCache {
  readonly #origin: ReadableStore;
  readonly #bucket: string;
  readonly #clock: () => number;
  readonly #entries = new Map<string, Entry>();

  /** The clock returns milliseconds. */
  constructor(origin: ReadableStore, bucket: string, clock: () => number = Date.now) {
    this.#origin = origin;
    this.#bucket = bucket;
    this.#clock = clock;
  }

  async read(request: OriginRequest): Promise<Reply> {
    const { path, method, headers } = request;
    const [bucket, key] = [this.#bucket, path.slice(1)];
    const policy = policyFor(request.viewerPath);
    const cached = this.#entries.get(path);
    if (cached && this.#clock() < cached.until) return this.#answer(cached, request, 'Hit');
    const info = await this.#origin.head(bucket, key);
    if (cached && info?.etag === cached.info.etag) {
      return this.#answer(this.#keep(path, policy, cached.bytes, info), request, 'RefreshHit');
    }
    this.#entries.delete(path);
    if (info !== undefined && method === 'GET' && lifetime(info, policy) > 0) {
      const found = await this.#origin.get(bucket, key);
      if (found) {
        const entry = this.#keep(path, policy, await buffer(found.body), found.info);
        return this.#answer(entry, request, 'Miss');
      }
    }
    return withXCache(await readObject(this.#origin, bucket, key, headers), 'Miss');
  }

  /** Removes every object, as an invalidation of `/*` does. */
  clear(): void {
    this.#entries.clear();
  }

  async #answer(entry: Entry, { path, headers }: OriginRequest, how: XCache): Promise<Reply> {
    const stored = await readObject(storeOf(entry), this.#bucket, path.slice(1), headers);
    const reply = withXCache(stored, how);
    if (how !== 'Hit') return reply;
    const age = String(Math.floor((this.#clock() - entry.since) / 1000));
    return { ...reply, headers: { ...reply.headers, age } };
  }

  #keep(path: string, policy: CachePolicyName, bytes: Buffer, info: ObjectInfo): Entry {
    const since = this.#clock();
    const entry = { info, bytes, since, until: since + lifetime(info, policy) * 1000 };
    this.#entries.set(path, entry);
    return entry;
  }
}

/** The cache policy of a path. A function that rewrites the path does not change the policy. */
export function policyFor(viewerPath: string): CachePolicyName {
  const found = PATHS.find(({ pattern }) => {
    const matching = pattern.replaceAll('.', '\\.').replaceAll('*', '.*');
    return new RegExp(`^${matching}$`, 's').test(viewerPath);
  });
  return found?.policy ?? DEFAULT_POLICY;
}

/**
 * How long CloudFront caches an object, in seconds.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
 */
function lifetime({ cacheControl = '' }: ObjectInfo, name: CachePolicyName): number {
  const { minTtl, defaultTtl, maxTtl } = CACHE_POLICIES[name];
  const directives = cacheControl.toLowerCase();
  if (/\b(no-cache|no-store|private)\b/.test(directives)) return minTtl;
  const seconds =
    /\bs-maxage=(\d+)/.exec(directives)?.[1] ?? /\bmax-age=(\d+)/.exec(directives)?.[1];
  const wanted = seconds === undefined ? defaultTtl : Number(seconds);
  return Math.min(Math.max(wanted, minTtl), maxTtl);
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

type XCache = 'Hit' | 'Miss' | 'RefreshHit' | 'FunctionGeneratedResponse';

export function withXCache(reply: Reply, how: XCache): Reply {
  const error = reply.status >= 400 && how !== 'FunctionGeneratedResponse';
  const value = `${error ? 'Error' : how} from cloudfront`;
  return { ...reply, headers: { ...reply.headers, 'x-cache': value } };
}
