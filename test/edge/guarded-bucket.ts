import { PUBLISHED } from '../../edge/behaviours.ts';
import type { AccessMode } from '../../edge/behaviours.ts';
import type { ReadableStore } from '../../edge/local/origin.ts';

/** The delivery bucket with the bucket policy of an access mode, as infra/delivery.ts declares it. */
export interface GuardedBucket {
  readonly store: ReadableStore;
  readonly name: string;
  readonly accessMode: AccessMode;
  /** In `public-read-via-cdn`, the Referer that the CDN sends and the bucket policy demands. */
  readonly originSecret: string;
}

/** What a bucket policy knows of a request's sender. */
export interface Principal {
  readonly signedByCdn: boolean;
  readonly referer: string | undefined;
}

/** The CDN as a principal. Its requests carry none of the viewer's headers. */
export function cdnPrincipal({ accessMode, originSecret }: GuardedBucket): Principal {
  return {
    signedByCdn: accessMode === 'cdn-only',
    referer: accessMode === 'public-read-via-cdn' ? originSecret : undefined,
  };
}

/** The objects that a principal may read. S3 answers for the others as if they did not exist. */
export function visibleTo(principal: Principal, bucket: GuardedBucket): ReadableStore {
  const { store } = bucket;
  const mayRead = (key: string) =>
    PUBLISHED.some((prefix) => key.startsWith(prefix)) && isAllowed(principal, bucket);
  return {
    head: async (name, key) => (mayRead(key) ? store.head(name, key) : undefined),
    get: async (name, key, range) => (mayRead(key) ? store.get(name, key, range) : undefined),
  };
}

function isAllowed(principal: Principal, { accessMode, originSecret }: GuardedBucket): boolean {
  switch (accessMode) {
    case 'cdn-only':
      return principal.signedByCdn;
    case 'public-read-via-cdn':
      return principal.referer === originSecret;
    case 'public-read':
      return true;
  }
}
