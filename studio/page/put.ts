import { UPLOAD_GONE } from '../schema.ts';
import { NoAnswer, Refusal } from './api.ts';

/** The bucket was reached, and does not take a part. */
export class PartRefusal extends Refusal {
  constructor(status: number) {
    const sentence = status === 404 ? UPLOAD_GONE : `A part was refused with status ${status}.`;
    super(status, sentence);
  }
}

/**
 * PUTs a part's bytes and returns its ETag. By XMLHttpRequest, as fetch does not tell how much is sent.
 * Throws PartRefusal, Refusal, NoAnswer, or the signal's reason.
 */
export function putPart(
  url: string,
  bytes: Blob,
  onSent: (bytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => {
      request.abort();
      reject(signal.reason as Error);
    };
    signal.throwIfAborted();
    signal.addEventListener('abort', stop, { once: true });
    request.upload.onprogress = ({ loaded }) => onSent(loaded);
    request.onerror = () => reject(new NoAnswer('The place of the uploads cannot be reached.'));
    request.onload = () => {
      const etag = request.getResponseHeader('etag');
      if (request.status !== 200) reject(new PartRefusal(request.status));
      else if (etag === null) {
        reject(new Refusal(0, "The bucket's CORS rules do not expose ETag, which uploads need."));
      } else resolve(etag);
    };
    request.onloadend = () => signal.removeEventListener('abort', stop);
    request.open('PUT', url);
    request.send(bytes);
  });
}
