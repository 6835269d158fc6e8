import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { PartRequest } from '../schema.ts';

/** Addresses for the parts of uploads, as S3 signs them, for a backend that has no address of its own. */
export interface PartSigner {
  /** A path with a query, good for this part and this process. */
  sign(part: PartRequest): string;
  /** The part that a signed address names; undefined when it is none of ours. */
  read(query: URLSearchParams): PartRequest | undefined;
}

export function partSigner(path: string): PartSigner {
  const secret = randomBytes(32);
  const signatureOf = ({ key, uploadId, partNumber, sizeBytes }: PartRequest) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([key, uploadId, partNumber, sizeBytes]))
      .digest('base64url');
  return {
    sign: (part) => {
      const { partNumber, sizeBytes, ...name } = part;
      const numbers = { partNumber: String(partNumber), sizeBytes: String(sizeBytes) };
      const query = new URLSearchParams({ ...name, ...numbers, signature: signatureOf(part) });
      return `${path}?${query.toString()}`;
    },
    read: (query) => {
      const [key, uploadId] = [query.get('key') ?? '', query.get('uploadId') ?? ''];
      const numbers = {
        partNumber: Number(query.get('partNumber')),
        sizeBytes: Number(query.get('sizeBytes')),
      };
      const part = { key, uploadId, ...numbers };
      const given = Buffer.from(query.get('signature') ?? '');
      const right = Buffer.from(signatureOf(part));
      return given.length === right.length && timingSafeEqual(given, right) ? part : undefined;
    },
  };
}
