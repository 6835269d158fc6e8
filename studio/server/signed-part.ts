import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { PartRequest } from '../schema.ts';

/** Signs URLs for the parts of uploads, as S3 does, for a backend that has no URLs of its own. */
export function partSigner(path: string) {
  const secret = randomBytes(32);
  const signatureOf = ({ key, uploadId, partNumber, sizeBytes }: PartRequest) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([key, uploadId, partNumber, sizeBytes]))
      .digest('base64url');
  return {
    /** Returns a path with a query, valid for this part and this process. */
    sign: (part: PartRequest): string => {
      const { partNumber, sizeBytes, ...name } = part;
      const numbers = { partNumber: String(partNumber), sizeBytes: String(sizeBytes) };
      const query = new URLSearchParams({ ...name, ...numbers, signature: signatureOf(part) });
      return `${path}?${query.toString()}`;
    },
    /** Returns the part that a signed query names, or undefined if the signature is wrong. */
    read: (query: URLSearchParams): PartRequest | undefined => {
      const part = {
        key: query.get('key') ?? '',
        uploadId: query.get('uploadId') ?? '',
        partNumber: Number(query.get('partNumber')),
        sizeBytes: Number(query.get('sizeBytes')),
      };
      const given = Buffer.from(query.get('signature') ?? '');
      const expected = Buffer.from(signatureOf(part));
      const isSigned = given.length === expected.length && timingSafeEqual(given, expected);
      return isSigned ? part : undefined;
    },
  };
}
