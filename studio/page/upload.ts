import { signal } from '@preact/signals';
import PQueue from 'p-queue';
import pRetry from 'p-retry';
import type { OpenUpload, SentParts, UploadName } from '../schema.ts';
import { RefusedError, UnreachableError, api } from './api.ts';
import { messageOf } from './messages.ts';
import { PartRefusedError, putPart } from './put.ts';

/** Recognises a file when it is chosen again. */
export interface FileIdentity {
  readonly name: string;
  readonly sizeBytes: number;
  readonly lastModified: number;
}

export type UploadState =
  | { readonly at: 'queued' }
  /** `lastError` is present while a failed request is tried again. */
  | { readonly at: 'sending' | 'finishing'; readonly lastError?: string }
  | { readonly at: 'paused' }
  /** The page was closed during the upload: the file has to be chosen again. */
  | { readonly at: 'interrupted' }
  | { readonly at: 'failed'; readonly reason: string };

export interface UploadProgress {
  readonly sentBytes: number;
  readonly bytesPerSecond?: number;
}

// Queues rather than core's inParallel: the limits hold for all files together, and pausing an upload takes it out.

/** Files that are sent at the same time; the others wait. */
const files = new PQueue({ concurrency: 3 });

/**
 * Over HTTP/1.1, browsers open six connections to a host. On one machine that host is the studio itself: two stay
 * free for its events and for other requests.
 */
const MAX_PARTS = 4;
const parts = new PQueue({ concurrency: MAX_PARTS });

/** How often a part is sent that the bucket refuses: its signed URL may have expired. */
const MAX_REFUSALS = 4;
const MAX_RETRY_MS = 8_000;

const SAMPLE_MS = 500;
/** The speed is measured over the last eight seconds. */
const SAMPLES = 16;

/** Uploads one file to the bucket in parts. After a pause, a reload or an outage, only missing parts are sent. */
export class Upload {
  readonly identity: FileIdentity;
  readonly state = signal<UploadState>({ at: 'queued' });
  readonly progress = signal<UploadProgress>({ sentBytes: 0 });
  readonly #onOpen: (open: OpenUpload) => void;
  readonly #bytesOfParts = new Map<number, number>();
  readonly #etags = new Map<number, string>();
  readonly #completion = Promise.withResolvers<string>();
  #file: File | undefined;
  #open: OpenUpload | undefined;
  #stop = new AbortController();

  /** `onOpen` gets what has to be stored to resume the upload; `open` is what was stored. */
  constructor(identity: FileIdentity, onOpen: (open: OpenUpload) => void, open?: OpenUpload) {
    this.identity = identity;
    this.#onOpen = onOpen;
    this.#open = open;
    if (open) this.state.value = { at: 'interrupted' };
  }

  /** Resolves with the item's id when the bucket has the whole file; never if the upload is cancelled. */
  get completed(): Promise<string> {
    return this.#completion.promise;
  }

  /** Whether leaving the page would interrupt it. */
  get active(): boolean {
    return ['queued', 'sending', 'finishing'].includes(this.state.value.at);
  }

  /** Starts or resumes; does nothing while it is active. An interrupted upload needs the file. */
  start(file = this.#file): void {
    if (!file || (this.#file && this.active)) return;
    this.#file = file;
    this.#stop = new AbortController();
    this.state.value = { at: 'queued' };
    void this.#run(file, this.#stop);
  }

  get pausable(): boolean {
    return this.active && this.state.value.at !== 'finishing';
  }

  pause(): void {
    this.#stop.abort();
    this.state.value = { at: 'paused' };
    this.#count();
  }

  /** Stops, and deletes the parts that were sent. Throws RefusedError or UnreachableError if that fails. */
  async cancel(): Promise<void> {
    this.#stop.abort();
    if (this.#open) await api.abort(nameOf(this.#open)).catch(ignoreGone);
  }

  /** Reads from the bucket which parts were sent. Returns false if the upload is no longer open. */
  async readSentParts(): Promise<boolean> {
    if (!this.#open) return false;
    const sent = await api.sentParts(nameOf(this.#open)).catch(ignoreGone);
    if (sent) this.#addSentParts(this.#open, sent);
    return sent !== undefined;
  }

  async #run(file: File, stop: AbortController): Promise<void> {
    const { signal: stopped } = stop;
    let sampling: ReturnType<typeof setInterval> | undefined;
    try {
      const { id } = await files.add(
        async () => {
          this.state.value = { at: 'sending' };
          const open = await this.#openOrResume(stopped);
          sampling = this.#sample();
          const sent = await this.#sendParts(file, open, stopped);
          this.state.value = { at: 'finishing' };
          const upload = { ...nameOf(open), parts: sent };
          return this.#retry(() => api.complete(upload, stopped), stopped);
        },
        { signal: stopped },
      );
      this.#completion.resolve(id);
    } catch (error) {
      // `pause` and `cancel` have set the state.
      if (stopped.aborted) return;
      stop.abort();
      this.state.value = { at: 'failed', reason: messageOf(error) };
    } finally {
      clearInterval(sampling);
    }
  }

  async #openOrResume(stopped: AbortSignal): Promise<OpenUpload> {
    this.#bytesOfParts.clear();
    this.#etags.clear();
    const open = this.#open;
    if (open) {
      const read = () => api.sentParts(nameOf(open), stopped).catch(ignoreGone);
      const sent = await this.#retry(read, stopped);
      if (sent) {
        this.#addSentParts(open, sent);
        return open;
      }
    }
    const { name, sizeBytes } = this.identity;
    const opened = await this.#retry(() => api.openUpload({ name, sizeBytes }, stopped), stopped);
    this.#open = opened;
    this.#onOpen(opened);
    return opened;
  }

  /** Ignores parts of a wrong size, which this page has not sent. */
  #addSentParts(open: OpenUpload, { parts: sent }: SentParts): void {
    for (const { partNumber, etag, sizeBytes } of sent) {
      const [from, to] = this.#range(open, partNumber);
      if (sizeBytes !== to - from) continue;
      this.#etags.set(partNumber, etag);
      this.#bytesOfParts.set(partNumber, sizeBytes);
    }
    this.#count();
  }

  async #sendParts(file: File, open: OpenUpload, stopped: AbortSignal) {
    const count = Math.ceil(this.identity.sizeBytes / open.partBytes);
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    const missing = numbers.filter((number) => !this.#etags.has(number)).values();
    // A file queues only so many parts at a time; the others would keep the next files waiting.
    const lanes = Array.from({ length: MAX_PARTS }, async () => {
      for (const partNumber of missing) {
        await parts.add(() => this.#sendPart(file, open, partNumber, stopped), { signal: stopped });
      }
    });
    await Promise.all(lanes);
    return numbers.map((partNumber) => ({ partNumber, etag: this.#etags.get(partNumber) ?? '' }));
  }

  async #sendPart(file: File, open: OpenUpload, partNumber: number, stopped: AbortSignal) {
    const bytes = file.slice(...this.#range(open, partNumber));
    const etag = await this.#retry(async () => {
      this.#bytesOfParts.set(partNumber, 0);
      const part = { ...nameOf(open), partNumber, sizeBytes: bytes.size };
      const { url } = await api.signPart(part, stopped);
      const onProgress = (sentBytes: number) => {
        this.#bytesOfParts.set(partNumber, sentBytes);
        if (sentBytes > 0) this.#clearError();
      };
      return putPart(url, bytes, onProgress, stopped).catch((error: unknown) =>
        throwIfUnreadable(bytes, error),
      );
    }, stopped);
    this.#etags.set(partNumber, etag);
    this.#bytesOfParts.set(partNumber, bytes.size);
  }

  #range({ partBytes }: OpenUpload, partNumber: number): [from: number, to: number] {
    const from = (partNumber - 1) * partBytes;
    return [from, Math.min(from + partBytes, this.identity.sizeBytes)];
  }

  /** Tries until there is an answer, however long the server or the network is down. */
  async #retry<T>(attempt: () => Promise<T>, stopped: AbortSignal): Promise<T> {
    const { at } = this.state.value;
    if (at !== 'sending' && at !== 'finishing') throw new Error(`An upload is ${at} and sends.`);
    const result = await pRetry(attempt, {
      retries: Infinity,
      minTimeout: 500,
      maxTimeout: MAX_RETRY_MS,
      randomize: true,
      signal: stopped,
      shouldRetry: ({ error, attemptNumber }) => retryCanHelp(error, attemptNumber),
      onFailedAttempt: ({ error, attemptNumber }) => {
        if (!retryCanHelp(error, attemptNumber)) return;
        this.state.value = { at, lastError: `${error.message} Trying again.` };
      },
    });
    this.#clearError();
    return result;
  }

  /** Call it when data gets through again, even if other requests of this upload are still tried again. */
  #clearError(): void {
    const state = this.state.value;
    if ('lastError' in state) this.state.value = { at: state.at };
  }

  #sample() {
    const samples: (readonly [at: number, bytes: number])[] = [];
    return setInterval(() => {
      samples.push([performance.now(), this.#count()]);
      if (samples.length > SAMPLES) samples.shift();
      const [first, last] = [samples.at(0), samples.at(-1)];
      if (!first || !last || last[0] - first[0] < 2 * SAMPLE_MS) return;
      const bytesPerSecond = Math.max(0, ((last[1] - first[1]) / (last[0] - first[0])) * 1000);
      this.progress.value = { sentBytes: last[1], bytesPerSecond };
    }, SAMPLE_MS);
  }

  #count(): number {
    const sentBytes = [...this.#bytesOfParts.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.progress.value = { ...this.progress.value, sentBytes };
    return sentBytes;
  }
}

/** A file that cannot be read looks like a server that cannot be reached. Always throws. */
async function throwIfUnreadable(bytes: Blob, error: unknown): Promise<never> {
  if (!(error instanceof UnreachableError)) throw error;
  await bytes
    .slice(0, 1)
    .arrayBuffer()
    .catch((cause: unknown) => {
      throw new Error('The file was changed or moved after it was chosen. Choose it again.', {
        cause,
      });
    });
  throw error;
}

function retryCanHelp(error: Error, attemptNumber: number): boolean {
  if (error instanceof UnreachableError) return true;
  if (!(error instanceof RefusedError)) return false;
  const { status } = error;
  if (status >= 500 || status === 408 || status === 429) return true;
  return error instanceof PartRefusedError && status !== 404 && attemptNumber < MAX_REFUSALS;
}

/** The server refuses unknown fields. */
function nameOf({ key, uploadId }: OpenUpload): UploadName {
  return { key, uploadId };
}

/** Throws any error except that the upload is no longer open. */
function ignoreGone(error: unknown): undefined {
  if (!(error instanceof RefusedError) || error.status !== 404) throw error;
}
