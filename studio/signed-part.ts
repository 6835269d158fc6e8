import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { PartName } from './protocol.ts';

/** Addresses for the parts of uploads, as S3 signs them, for a home that has no address of its own. */
export interface PartSigner {
  /** A path with a query, good for this part and this process. */
  sign(part: PartName): string;
  /** The part that a signed address names; undefined when it is none of ours. */
  read(query: URLSearchParams): PartName | undefined;
}

export function partSigner(path: string): PartSigner {
  const secret = randomBytes(32);
  const signatureOf = ({ key, uploadId, partNumber }: PartName) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([key, uploadId, partNumber]))
      .digest('base64url');
  return {
    sign: (part) => {
      const { key, uploadId, partNumber } = part;
      const query = { key, uploadId, partNumber: String(partNumber), signature: signatureOf(part) };
      return `${path}?${new URLSearchParams(query).toString()}`;
    },
    read: (query) => {
      const [key, uploadId] = [query.get('key') ?? '', query.get('uploadId') ?? ''];
      const part = { key, uploadId, partNumber: Number(query.get('partNumber')) };
      const given = Buffer.from(query.get('signature') ?? '');
      const right = Buffer.from(signatureOf(part));
      return given.length === right.length && timingSafeEqual(given, right) ? part : undefined;
    },
  };
}
