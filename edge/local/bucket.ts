import { PUBLISHED } from '../behaviours.ts';
import type { AccessMode } from '../behaviours.ts';
import type { ReadableStore } from './origin.ts';

/** The delivery bucket behind its policy. */
export interface GuardedBucket {
  readonly store: ReadableStore;
  readonly name: string;
  readonly accessMode: AccessMode;
  /** What the CDN sends as Referer, and the bucket demands, in `public-read-via-cdn`. */
  readonly originSecret: string;
}

/** How a request shows who it is of; the CDN's carries nothing of its viewer's. */
export interface Principal {
  readonly signedByCdn: boolean;
  readonly referer: string | undefined;
}

/** The CDN as each mode has it ask: infra/delivery.ts declares the same. */
export function cdnPrincipal({ accessMode, originSecret }: GuardedBucket): Principal {
  return {
    signedByCdn: accessMode === 'cdn-only',
    referer: accessMode === 'public-read-via-cdn' ? originSecret : undefined,
  };
}

/** The bucket as that asker sees it. To who may neither read nor list, S3 says the same of what is forbidden and of what is not there. */
export function visibleTo(asker: Principal, bucket: GuardedBucket): ReadableStore {
  const { store } = bucket;
  const sees = (key: string) =>
    PUBLISHED.some((one) => key.startsWith(one)) && mayRead(asker, bucket);
  return {
    head: async (name, key) => (sees(key) ? store.head(name, key) : undefined),
    get: async (name, key, range) => (sees(key) ? store.get(name, key, range) : undefined),
  };
}

function mayRead(asker: Principal, { accessMode, originSecret }: GuardedBucket): boolean {
  switch (accessMode) {
    case 'cdn-only':
      return asker.signedByCdn;
    case 'public-read-via-cdn':
      return asker.referer === originSecret;
    case 'public-read':
      return true;
  }
}
