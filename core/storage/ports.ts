import type { Readable } from 'node:stream';

/**
 * A storage backend: an object store and queues. `aws/` implements it on S3 and SQS, `local/` in a folder of one
 * machine; test/core/storage/contract holds both to the same rules.
 *
 * The ports offer what S3 and SQS offer, and no more. Objects: strongly consistent reads, conditional writes by ETag
 * and multipart uploads, but neither rename nor append. Queues: at-least-once delivery, a visibility timeout, receive
 * counts and dead letters.
 */
export interface Backend {
  readonly store: ObjectStore;
  /** Opens a queue by its name (local) or its URL (SQS). */
  readonly queue: (name: string) => Queue;
  /** Closes connections and files. No operation may follow. */
  close(): Promise<void>;
}

/**
 * Objects in buckets. All methods reject with the backend's own error when the backend fails; the errors named here
 * are those that a caller can act on.
 */
export interface ObjectStore {
  /** Writes a whole object. Throws PreconditionFailedError when `condition` does not hold. */
  put(
    bucket: string,
    key: string,
    body: Uint8Array | string,
    headers?: ObjectHeaders,
    condition?: Condition,
  ): Promise<{ readonly etag: string }>;

  /**
   * Reads an object, or a range of its bytes. Resolves to undefined when there is no such object. The caller must
   * read or destroy the body. Throws RangeError when the range lies outside the object.
   */
  get(
    bucket: string,
    key: string,
    range?: ByteRange,
  ): Promise<{ readonly info: ObjectInfo; readonly body: Readable } | undefined>;

  /** Reads what is known of an object, without its bytes. Resolves to undefined when there is no such object. */
  head(bucket: string, key: string): Promise<ObjectInfo | undefined>;

  /** Lists the objects whose keys begin with `prefix` and follow `after`, in the order of their UTF-8 bytes. */
  list(bucket: string, prefix: string, after?: string): AsyncIterable<ObjectSummary>;

  /** Deletes an object. Succeeds when there is none. */
  delete(bucket: string, key: string): Promise<void>;

  /**
   * Returns the path of a file with the object's bytes, for programs to read. Resolves to undefined when the bytes
   * are not on this machine.
   */
  localPath(bucket: string, key: string): Promise<string | undefined>;

  /** Begins a multipart upload. Returns its id. */
  createUpload(bucket: string, key: string, headers?: ObjectHeaders): Promise<string>;

  /**
   * Writes a part, and replaces an earlier part of the same number. Parts are numbered from 1. Each part but the last
   * has at least 5 MiB. Throws UploadGoneError when the upload is not open.
   */
  uploadPart(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    body: Uint8Array,
  ): Promise<UploadedPart>;

  /**
   * Makes an object of the parts and ends the upload. Throws UploadGoneError when the upload is not open,
   * WrongPartsError when the store cannot make the object of these parts, and PreconditionFailedError when
   * `condition` does not hold.
   */
  completeUpload(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
    condition?: Condition,
  ): Promise<{ readonly etag: string }>;

  /** Returns the ids of the open uploads of a key, the newest first. */
  openUploads(bucket: string, key: string): Promise<readonly string[]>;

  /** Returns the parts of an open upload in the order of their numbers. Throws UploadGoneError when it is not open. */
  storedParts(bucket: string, key: string, uploadId: string): Promise<readonly StoredPart[]>;

  /** Ends an upload and drops its parts. Succeeds when the upload is not open. */
  abortUpload(bucket: string, key: string, uploadId: string): Promise<void>;
}

export interface ObjectHeaders {
  readonly contentType?: string;
  readonly cacheControl?: string;
  /** Names are lower-case ASCII, values ASCII; 2 KB in all. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Makes a write conditional: the object must still have that ETag (`ifMatch`), or must not exist (`ifNoneMatch`). */
export interface Condition {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: '*';
}

export interface ObjectSummary {
  readonly key: string;
  readonly sizeBytes: number;
  /** Without quotes. The MD5 of the bytes in hex, unless the object was uploaded in parts. */
  readonly etag: string;
  /** S3 keeps whole seconds, the local backend milliseconds. */
  readonly lastModified: Date;
}

export interface ObjectInfo extends ObjectSummary {
  readonly contentType: string;
  readonly cacheControl?: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The bytes from `first` to `last`, both included; to the end of the object without `last`. */
export interface ByteRange {
  readonly first: number;
  readonly last?: number;
}

export interface UploadedPart {
  readonly partNumber: number;
  /** The MD5 of the part's bytes in hex. */
  readonly etag: string;
}

export interface StoredPart extends UploadedPart {
  readonly sizeBytes: number;
}

/** The condition of a write did not hold, because another process has written the object. */
export class PreconditionFailedError extends Error {
  override readonly name = 'PreconditionFailedError';
}

/** The upload is not open: it was completed or aborted, or it has expired. */
export class UploadGoneError extends Error {
  override readonly name = 'UploadGoneError';
}

/**
 * The parts do not make an object: some are missing, differ from what is stored, are too small, or are out of order.
 */
export class WrongPartsError extends Error {
  override readonly name = 'WrongPartsError';
}

/**
 * Messages with at-least-once delivery. A receiver holds a message under a receipt until the visibility timeout ends,
 * and then acknowledges, releases or resends it; otherwise the queue delivers it again. Methods that take a receipt
 * throw LeaseLostError when the receipt is no longer valid, because the timeout has passed or the message is gone.
 */
export interface Queue {
  readonly name: string;

  /** Sends a message. Messages of one `group` take turns with those of other groups: see OutgoingMessage. */
  send(body: string, group?: string): Promise<void>;

  /** Sends many messages in few requests. When it throws, some of them may have been sent. */
  sendAll(messages: readonly OutgoingMessage[]): Promise<void>;

  /**
   * Receives up to `max` messages, and waits up to `waitSeconds` for the first one. When `signal` aborts, it throws
   * the signal's reason within seconds, unless messages have arrived in the meantime.
   */
  receive(options: ReceiveOptions): Promise<readonly ReceivedMessage[]>;

  /** Restarts the visibility timeout of a message, with this length. */
  extend(receipt: string, visibilitySeconds: number): Promise<void>;

  /** Makes a message visible again, now or after a delay. Its receive count stays. */
  release(receipt: string, delaySeconds?: number): Promise<void>;

  /**
   * Replaces a message by a new one that carries `failures` and whose receive count starts again. The message may
   * come twice, but is never lost.
   */
  resend(message: ReceivedMessage, failures: number, delaySeconds?: number): Promise<void>;

  /** Deletes a message whose work is done. SQS may accept a receipt that is no longer valid. */
  acknowledge(receipt: string): Promise<void>;

  /** Counts the messages. SQS counts approximately. */
  counts(): Promise<QueueCounts>;
}

export interface OutgoingMessage {
  readonly body: string;
  /** Groups get fair shares of the workers: many messages of one group do not hold up those of the others. */
  readonly group?: string | undefined;
}

export interface ReceivedMessage extends OutgoingMessage {
  readonly messageId: string;
  /** Identifies this delivery. */
  readonly receipt: string;
  /** 1 on the first delivery. Earlier receivers died: those that survive a failure resend the message. */
  readonly receiveCount: number;
  /** How often the work has failed, as given to `resend`. */
  readonly failures: number;
  readonly sentAt: Date;
}

export interface ReceiveOptions {
  /** At most 10. */
  readonly max: number;
  /** At most 20. */
  readonly waitSeconds: number;
  /** How long other receivers do not see the messages. */
  readonly visibilitySeconds: number;
  readonly signal?: AbortSignal;
}

export interface QueueCounts {
  /** Ready to be received. */
  readonly visible: number;
  /** Received, and not yet acknowledged, released or resent. */
  readonly inFlight: number;
  /** Waiting for the end of a delay. */
  readonly delayed: number;
}
