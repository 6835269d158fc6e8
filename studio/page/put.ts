import { UPLOAD_GONE } from '../schema.ts';
import { RefusedError, UnreachableError } from './api.ts';

/** The bucket did not accept a part. */
export class PartRefusedError extends RefusedError {
  constructor(status: number) {
    super(status, status === 404 ? UPLOAD_GONE : `A part was refused with status ${status}.`);
  }
}

/**
 * PUTs a part's bytes and returns its ETag. Uses XMLHttpRequest, because fetch does not report upload progress.
 * Throws PartRefusedError, RefusedError, UnreachableError, or the signal's reason.
 */
export function putPart(
  url: string,
  bytes: Blob,
  onProgress: (sentBytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => {
      request.abort();
      reject(signal.reason as Error);
    };
    signal.throwIfAborted();
    signal.addEventListener('abort', abort, { once: true });
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onerror = () => reject(new UnreachableError('The bucket cannot be reached.'));
    request.onload = () => {
      const etag = request.getResponseHeader('etag');
      if (request.status !== 200) reject(new PartRefusedError(request.status));
      else if (etag === null) {
        reject(
          new RefusedError(0, "The bucket's CORS rules do not expose ETag, which uploads need."),
        );
      } else resolve(etag);
    };
    request.onloadend = () => signal.removeEventListener('abort', abort);
    request.open('PUT', url);
    request.send(bytes);
  });
}
