/**
 * What the studio's page and its server say to each other, as JSON below `/studio/api/`. Each POST and
 * DELETE carries the page's token in `x-studio-token`; what goes wrong is answered with a status of 400
 * and above and a `Problem`.
 *
 * | request                          | body             | answer                                      |
 * | -------------------------------- | ---------------- | ------------------------------------------- |
 * | GET `events`                     |                  | server-sent events, each a `Library` or    |
 * |                                  |                  | why there is none: `trouble`, a `Problem`   |
 * | POST `uploads`                   | `NewUpload`      | `OpenUpload`                                |
 * | POST `uploads/parts`             | `UploadName`     | `SentParts`; 404 when it is gone            |
 * | POST `uploads/sign`              | `PartRequest`    | `SignedPart`                                |
 * | POST `uploads/complete`          | `CompleteUpload` | `Completed`; 404 when it is gone, 400 where |
 * |                                  |                  | its parts are not those that were sent      |
 * | POST `uploads/abort`             | `UploadName`     | 204                                         |
 * | POST `items/<id>/retry`          |                  | 204                                         |
 * | POST `items/<id>/title`          | `NewTitle`       | 204; 409 while it is not published          |
 * | DELETE `items/<id>`              |                  | 204; 409 while it is worked on              |
 */
export interface Library {
  /** What people call the backend: `this machine`, or the name of a stage. */
  readonly backendName: string;
  /** Where viewers find the videos, `https://…`, without a slash at the end. */
  readonly origin: string;
  /** Whether viewers' addresses need a token before them, which only the site's backend can make. */
  readonly tokens: boolean;
  /** The newest first, by `uploadedAt`. */
  readonly items: readonly LibraryItem[];
}

/** One uploaded file and what has become of it. */
export type LibraryItem = WaitingItem | WorkingItem | ReadyItem | EndedItem;

interface AnyItem {
  /** The asset's id. */
  readonly id: string;
  readonly title: string;
  /** As it was uploaded, without folders. */
  readonly fileName: string;
  /** ISO 8601. Where the uploaded file is not there any more: when the video was published, or the job last changed. */
  readonly uploadedAt: string;
}

/** Uploaded, and no worker has taken it up. */
export interface WaitingItem extends AnyItem {
  readonly state: 'waiting';
}

export interface WorkingItem extends AnyItem {
  readonly state: 'working';
  /** 0 to 100. */
  readonly percent: number;
  /** Absent until enough of the work was seen to judge. */
  readonly secondsLeft?: number;
  /** What failed last; it is tried again. */
  readonly trouble?: string;
  /** Nothing was heard of it for so long that its messages may be lost. */
  readonly quiet?: true;
}

/** It was not made. `rejected`: the worker does not take the file. `failed`: something around the work went wrong. */
export interface EndedItem extends AnyItem {
  readonly state: 'rejected' | 'failed';
  readonly code: string;
  /** A sentence for the person who uploaded it. */
  readonly reason: string;
  /** Whether trying again can help: not when the file itself is the reason, or is gone. */
  readonly canRetry: boolean;
}

export interface ReadyItem extends AnyItem {
  readonly state: 'ready';
  readonly durationSeconds: number;
  /** Paths on the studio's own server: `/watch/…` for people, `/v/…` for its player and pictures. */
  readonly watchPage: string;
  readonly playlist: string;
  readonly poster?: string;
  /** Where viewers find the playlist. */
  readonly playAddress: string;
  /** Two lines of HTML for a page of an allowed site. */
  readonly embedCode: string;
  readonly renditions: readonly {
    readonly name: string;
    readonly width: number;
    readonly height: number;
    readonly codecs: string;
    /** Bits/s, without sound. */
    readonly averageBitRate: number;
    readonly peakBitRate: number;
    readonly bytes: number;
  }[];
  readonly audio: readonly {
    readonly name: string;
    readonly label: string;
    readonly language: string;
    readonly averageBitRate: number;
    readonly bytes: number;
  }[];
  /** Steps of the ladder that were left out. */
  readonly skipped: readonly {
    readonly rung: string;
    readonly reason: 'larger_than_source' | 'same_size_as_another';
  }[];
  /** A sentence for each kind of stream of the file that the video has nothing of. */
  readonly leftOut: readonly string[];
  /** All segments and images. */
  readonly bytes: number;
}

export interface NewUpload {
  readonly name: string;
  readonly sizeBytes: number;
}

export interface NewTitle {
  readonly title: string;
}

/** Names an upload that is not completed. */
export interface UploadName {
  readonly key: string;
  readonly uploadId: string;
}

export interface OpenUpload extends UploadName {
  /** Bytes of every part but the last. */
  readonly partBytes: number;
}

export interface SentParts {
  readonly parts: readonly {
    readonly partNumber: number;
    readonly etag: string;
    readonly sizeBytes: number;
  }[];
}

export interface PartRequest extends UploadName {
  /** From 1. */
  readonly partNumber: number;
  /** One machine takes no more bytes than these for it. */
  readonly sizeBytes: number;
}

/** The part's bytes are PUT there; the answer's ETag is the part's. */
export interface SignedPart {
  readonly url: string;
}

export interface CompleteUpload extends UploadName {
  readonly parts: readonly { readonly partNumber: number; readonly etag: string }[];
}

export interface Completed {
  /** Of the item that it becomes. */
  readonly id: string;
}

/** What a person is told of an upload that was completed, aborted or has expired: by the server, or for S3 by the page. */
export const UPLOAD_GONE = 'This upload is not open any more. Begin it again.';

export interface Problem {
  /** A sentence. */
  readonly error: string;
}
