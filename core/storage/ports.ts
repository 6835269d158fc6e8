import type { Readable } from 'node:stream';

/**
 * The two ports of the worker, shaped on what S3 and SQS really do: no rename, no append,
 * conditional writes by ETag, multipart uploads, strong reads; at-least-once delivery, visibility,
 * receive counts and dead letters. `local/` is their backend on one machine, `aws/` the one in the cloud.
 */
export interface Backend {
  readonly store: ObjectStore;
  /** Opens the queue of that name (local) or address (SQS). */
  readonly queue: (name: string) => Queue;
  close(): Promise<void>;
}

/** What is kept with an object beside its bytes. Metadata: lower-case ASCII names, ASCII values. */
export interface ObjectHeaders {
  readonly contentType?: string;
  readonly cacheControl?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A write that happens only if the object is still that one, or still missing. */
export interface Condition {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: '*';
}

export interface ObjectSummary {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly lastModified: Date;
}

export interface ObjectInfo extends ObjectSummary {
  readonly contentType: string;
  readonly cacheControl?: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes `first` to `last`, both included; without `last`, to the end. */
export interface ByteRange {
  readonly first: number;
  readonly last?: number;
}

export interface UploadedPart {
  readonly partNumber: number;
  readonly etag: string;
}

/** A part that the store holds, of an upload that is not completed. */
export interface StoredPart extends UploadedPart {
  readonly sizeBytes: number;
}

export interface ObjectStore {
  /** Writes a whole object at once. Throws PreconditionFailedError when the condition does not hold. */
  put(
    bucket: string,
    key: string,
    body: Uint8Array | string,
    headers?: ObjectHeaders,
    condition?: Condition,
  ): Promise<{ readonly etag: string }>;
  /** Undefined when there is no such object. The body must be read or destroyed. Throws RangeError for a range outside the object. */
  get(
    bucket: string,
    key: string,
    range?: ByteRange,
  ): Promise<{ readonly info: ObjectInfo; readonly body: Readable } | undefined>;
  head(bucket: string, key: string): Promise<ObjectInfo | undefined>;
  /** Every key that begins with the prefix, in the order of its UTF-8 bytes. */
  list(bucket: string, prefix: string, after?: string): AsyncIterable<ObjectSummary>;
  /** No error when there is no such object. */
  delete(bucket: string, key: string): Promise<void>;
  /** Where the object's bytes are on this machine, for programs to read; undefined when they are elsewhere. */
  localPath(bucket: string, key: string): Promise<string | undefined>;

  createUpload(bucket: string, key: string, headers?: ObjectHeaders): Promise<string>;
  /**
   * Parts are numbered from 1; each but the last is at least 5 MiB. Throws UploadGoneError when the upload is
   * not open any more, as `completeUpload` and `storedParts` do.
   */
  uploadPart(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    body: Uint8Array,
  ): Promise<UploadedPart>;
  /** Throws WrongPartsError, too. */
  completeUpload(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    condition?: Condition,
  ): Promise<{ readonly etag: string }>;
  /** Uploads of that key that were neither completed nor aborted, the newest first. */
  openUploads(bucket: string, key: string): Promise<readonly string[]>;
  /** In the order of their numbers. */
  storedParts(bucket: string, key: string, uploadId: string): Promise<readonly StoredPart[]>;
  /** No error when there is no such upload any more. */
  abortUpload(bucket: string, key: string, uploadId: string): Promise<void>;
}

/** The condition of a write did not hold: somebody else has written meanwhile. */
export class PreconditionFailedError extends Error {
  override readonly name = 'PreconditionFailedError';
}

/** There is no such open upload: it was completed, aborted or has expired. */
export class UploadGoneError extends Error {
  override readonly name = 'UploadGoneError';
}

/** An upload is not completed by these parts: they were not all sent, have other bytes, are too small, or out of order. */
export class WrongPartsError extends Error {
  override readonly name = 'WrongPartsError';
}

export interface OutgoingMessage {
  readonly body: string;
  /** Whose message it is: one with many messages does not hold up the others. */
  readonly group?: string | undefined;
}

export interface ReceivedMessage extends OutgoingMessage {
  readonly messageId: string;
  /** Names this delivery, for `extend`, `release` and `acknowledge`. */
  readonly receipt: string;
  /** 1 on the first delivery. All but this one ended without a word: whoever had it died. */
  readonly receiveCount: number;
  /** How often the work failed before; as `resend` was told. */
  readonly failures: number;
  readonly sentAt: Date;
}

export interface QueueCounts {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

export interface ReceiveOptions {
  /** At most 10. */
  readonly max: number;
  /** Waits so long for a first message; at most 20. */
  readonly waitSeconds: number;
  readonly visibilitySeconds: number;
  readonly signal?: AbortSignal;
}

export interface Queue {
  readonly name: string;
  send(body: string, group?: string): Promise<void>;
  /** Sends many messages in few requests. When it throws, some of them may be sent. */
  sendAll(messages: readonly OutgoingMessage[]): Promise<void>;
  /** Throws the signal's reason, within seconds, unless messages have been delivered meanwhile. */
  receive(options: ReceiveOptions): Promise<readonly ReceivedMessage[]>;
  /** Hides the message for so many seconds from now on. Throws LeaseLostError when the receipt is no longer valid. */
  extend(receipt: string, visibilitySeconds: number): Promise<void>;
  /** Makes the message visible again, now or after a delay. Throws LeaseLostError likewise. */
  release(receipt: string, delaySeconds?: number): Promise<void>;
  /**
   * Replaces the message by a fresh one that carries so many failures, whose receives count from 1 again.
   * It may come twice, never not at all. Throws LeaseLostError likewise.
   */
  resend(message: ReceivedMessage, failures: number, delaySeconds?: number): Promise<void>;
  /** Deletes the message: its work is done. Throws LeaseLostError likewise; SQS may take a late receipt. */
  acknowledge(receipt: string): Promise<void>;
  counts(): Promise<QueueCounts>;
}
