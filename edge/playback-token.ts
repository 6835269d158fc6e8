import { createHmac } from 'node:crypto';

/** `https://cdn.example`, `/v/<asset>/`, and the rest of the path. */
const ADDRESS = /^(https?:\/\/[^/?#]+)(\/v\/[0-9a-z]+\/)([^?#]*)$/;

/**
 * Signs an asset's address, `https://cdn.example/v/<asset>/index.m3u8`, so that it is valid for that many seconds:
 * `https://cdn.example/t/<expiry>.<signature>/v/<asset>/index.m3u8`. The signature covers the expiry (seconds since
 * 1970) and `/v/<asset>/`. The token opens every version of this asset and nothing else, and relative addresses in
 * playlists inherit it. A site's backend does the same. Throws RangeError if the address is not an asset's, or if
 * `seconds` is not a positive integer.
 */
export function signAddress(
  address: string,
  key: string,
  seconds: number,
  now: Date = new Date(),
): string {
  const [, origin, asset, file] = ADDRESS.exec(address) ?? [];
  if (origin === undefined || asset === undefined || file === undefined) {
    throw new RangeError(`${JSON.stringify(address)} is not the address of an asset.`);
  }
  if (!Number.isSafeInteger(seconds) || seconds <= 0) {
    throw new RangeError(
      `An address is valid for a positive whole number of seconds, not ${seconds}.`,
    );
  }
  const expiry = Math.floor(now.getTime() / 1000) + seconds;
  const signature = createHmac('sha256', key).update(`${expiry}${asset}`).digest('base64url');
  return `${origin}/t/${expiry}.${signature}${asset}${file}`;
}
