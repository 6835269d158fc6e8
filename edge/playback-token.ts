import { createHmac } from 'node:crypto';

/** `https://cdn.example`, `/v/<asset>/`, and what stands behind it. */
const ADDRESS = /^(https?:\/\/[^/?#]+)(\/v\/[0-9a-z]+\/)([^?#]*)$/;

/**
 * An asset's address, `https://cdn.example/v/<asset>/index.m3u8`, as one that is good for so many
 * seconds: `https://cdn.example/t/<expiry>.<signature>/v/<asset>/index.m3u8`. Signed are the expiry, in
 * seconds since 1970, and `/v/<asset>/`: the token opens every version of this asset and nothing else, and
 * the playlists' relative addresses inherit it. For a site's backend. Throws RangeError for an address of
 * no asset, and for a time that is no whole number of seconds above 0.
 */
export function signAddress(
  address: string,
  key: string,
  seconds: number,
  now: Date = new Date(),
): string {
  const [, origin, asset, file] = ADDRESS.exec(address) ?? [];
  if (origin === undefined || asset === undefined || file === undefined) {
    throw new RangeError(`${JSON.stringify(address)} is no address of an asset.`);
  }
  if (!Number.isSafeInteger(seconds) || seconds <= 0) {
    throw new RangeError(`An address is good for a whole number of seconds, not ${seconds}.`);
  }
  const expiry = Math.floor(now.getTime() / 1000) + seconds;
  const signature = createHmac('sha256', key).update(`${expiry}${asset}`).digest('base64url');
  return `${origin}/t/${expiry}.${signature}${asset}${file}`;
}
