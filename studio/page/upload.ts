import { signal } from '@preact/signals';
import PQueue from 'p-queue';
import pRetry from 'p-retry';
import type { NewUpload, OpenUpload, SentParts, UploadName } from '../schema.ts';
import { api, NoAnswer, Refusal } from './api.ts';
import { PartRefusal, putPart } from './put.ts';

/** What a file is known by when it is chosen again. */
export interface FileMark {
  readonly name: string;
  readonly sizeBytes: number;
  readonly lastModified: number;
}

export type UploadState =
  | { readonly at: 'queued' }
  /** `trouble` is what is tried again just now. */
  | { readonly at: 'sending' | 'finishing'; readonly trouble?: string }
  | { readonly at: 'paused' }
  /** The page was left meanwhile: the file has to be chosen again. */
  | { readonly at: 'interrupted' }
  | { readonly at: 'failed'; readonly reason: string };

export interface UploadProgress {
  readonly sentBytes: number;
  readonly bytesPerSecond?: number;
}

/** Files that are sent side by side; the others wait their turn. */
const files = new PQueue({ concurrency: 3 });

/**
 * Browsers keep six connections to a host by HTTP/1.1. On one machine that host is the studio itself: two
 * are left for its events and for what it is asked.
 */
const PARTS_AT_ONCE = 4;
const parts = new PQueue({ concurrency: PARTS_AT_ONCE });

/** How often a part is sent that the bucket refuses: its signed address may have run out. */
const MOST_REFUSALS = 4;
const SLOWEST_RETRY_MS = 8_000;

const SAMPLE_MS = 500;
/** The speed is that of the last eight seconds. */
const SAMPLES = 16;

/** One file on its way to the bucket, in parts that are sent once each, whatever happens between. */
export class Upload {
  readonly mark: FileMark;
  readonly state = signal<UploadState>({ at: 'queued' });
  readonly progress = signal<UploadProgress>({ sentBytes: 0 });
  readonly #onOpen: (open: OpenUpload) => void;
  readonly #bytesOfParts = new Map<number, number>();
  readonly #etags = new Map<number, string>();
  readonly #completion = Promise.withResolvers<string>();
  #file: File | undefined;
  #open: OpenUpload | undefined;
  #stop = new AbortController();

  /** `onOpen` is told of the upload as it has to be remembered; `open` is what was remembered. */
  constructor(mark: FileMark, onOpen: (open: OpenUpload) => void, open?: OpenUpload) {
    this.mark = mark;
    this.#onOpen = onOpen;
    this.#open = open;
    if (open) this.state.value = { at: 'interrupted' };
  }

  /** Resolves with the item's id when the file is whole in the bucket; never when it is cancelled. */
  get completed(): Promise<string> {
    return this.#completion.promise;
  }

  /** Whether leaving the page would break it off. */
  get active(): boolean {
    return ['queued', 'sending', 'finishing'].includes(this.state.value.at);
  }

  /** Goes on, or begins, when it is not on its way already; the file has to be known by then. */
  start(file = this.#file): void {
    if (!file || (this.#file && this.active)) return;
    this.#file = file;
    this.#stop = new AbortController();
    this.state.value = { at: 'queued' };
    void this.#run(file, this.#stop);
  }

  /** Whether it can be paused: what the bucket puts together already is only waited for. */
  get pausable(): boolean {
    return this.active && this.state.value.at !== 'finishing';
  }

  pause(): void {
    this.#stop.abort();
    this.state.value = { at: 'paused' };
    this.#count();
  }

  /** Stops, and has the bucket forget what was sent. Throws Refusal or NoAnswer when it does not. */
  async cancel(): Promise<void> {
    this.#stop.abort();
    if (this.#open) await api.abort(nameOf(this.#open)).catch(unlessGone);
  }

  /** Asks what the bucket has of it; false when it knows nothing of it any more. */
  async look(): Promise<boolean> {
    if (!this.#open) return false;
    const sent = await api.sentParts(nameOf(this.#open)).catch(unlessGone);
    if (sent) this.#note(this.#open, sent);
    return sent !== undefined;
  }

  async #run(file: File, stop: AbortController): Promise<void> {
    const { signal: stopped } = stop;
    let sampling: ReturnType<typeof setInterval> | undefined;
    try {
      const { id } = await files.add(
        async () => {
          this.state.value = { at: 'sending' };
          const open = await this.#openOrGoOn(stopped);
          sampling = this.#sample();
          const etags = await this.#sendParts(file, open, stopped);
          this.state.value = { at: 'finishing' };
          const whole = { ...nameOf(open), parts: etags };
          return this.#persist(() => api.complete(whole, stopped), stopped);
        },
        { signal: stopped },
      );
      this.#completion.resolve(id);
    } catch (error) {
      // Whoever stopped it has said what it is now.
      if (stopped.aborted) return;
      stop.abort();
      const reason = error instanceof Error ? error.message : String(error);
      this.state.value = { at: 'failed', reason };
    } finally {
      clearInterval(sampling);
    }
  }

  async #openOrGoOn(stopped: AbortSignal): Promise<OpenUpload> {
    this.#bytesOfParts.clear();
    this.#etags.clear();
    const open = this.#open;
    if (open) {
      const known = () => api.sentParts(nameOf(open), stopped).catch(unlessGone);
      const sent = await this.#persist(known, stopped);
      if (sent) {
        this.#note(open, sent);
        return open;
      }
    }
    const { name, sizeBytes } = this.mark;
    const wanted: NewUpload = { name, sizeBytes };
    const fresh = await this.#persist(() => api.openUpload(wanted, stopped), stopped);
    this.#open = fresh;
    this.#onOpen(fresh);
    return fresh;
  }

  /** A part that has not its full size was not sent by this page. */
  #note(open: OpenUpload, { parts: sent }: SentParts): void {
    for (const { partNumber, etag, sizeBytes } of sent) {
      const [from, to] = this.#range(open, partNumber);
      if (sizeBytes !== to - from) continue;
      this.#etags.set(partNumber, etag);
      this.#bytesOfParts.set(partNumber, sizeBytes);
    }
    this.#count();
  }

  async #sendParts(file: File, open: OpenUpload, stopped: AbortSignal) {
    const count = Math.ceil(this.mark.sizeBytes / open.partBytes);
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    const missing = numbers.filter((number) => !this.#etags.has(number)).values();
    // No more than these wait in the queue at once, so that files get turns.
    const lanes = Array.from({ length: PARTS_AT_ONCE }, async () => {
      for (const partNumber of missing) {
        await parts.add(() => this.#sendPart(file, open, partNumber, stopped), { signal: stopped });
      }
    });
    await Promise.all(lanes);
    return numbers.map((partNumber) => ({ partNumber, etag: this.#etags.get(partNumber) ?? '' }));
  }

  async #sendPart(file: File, open: OpenUpload, partNumber: number, stopped: AbortSignal) {
    const bytes = file.slice(...this.#range(open, partNumber));
    const etag = await this.#persist(async () => {
      this.#bytesOfParts.set(partNumber, 0);
      const part = { ...nameOf(open), partNumber, sizeBytes: bytes.size };
      const { url } = await api.signPart(part, stopped);
      const onSent = (sent: number) => {
        this.#bytesOfParts.set(partNumber, sent);
        if (sent > 0) this.#endTrouble();
      };
      return putPart(url, bytes, onSent, stopped).catch((error: unknown) =>
        unlessUnread(bytes, error),
      );
    }, stopped);
    this.#etags.set(partNumber, etag);
    this.#bytesOfParts.set(partNumber, bytes.size);
  }

  #range({ partBytes }: OpenUpload, partNumber: number): [from: number, to: number] {
    const from = (partNumber - 1) * partBytes;
    return [from, Math.min(from + partBytes, this.mark.sizeBytes)];
  }

  /** Tries until there is an answer, however long the server or the network is away. */
  async #persist<T>(attempt: () => Promise<T>, stopped: AbortSignal): Promise<T> {
    const { at } = this.state.value;
    if (at !== 'sending' && at !== 'finishing') throw new Error(`An upload is ${at} and sends.`);
    const result = await pRetry(attempt, {
      retries: Infinity,
      minTimeout: 500,
      maxTimeout: SLOWEST_RETRY_MS,
      randomize: true,
      signal: stopped,
      shouldRetry: ({ error, attemptNumber }) => mayPass(error, attemptNumber),
      onFailedAttempt: ({ error, attemptNumber }) => {
        if (!mayPass(error, attemptNumber)) return;
        this.state.value = { at, trouble: `${error.message} It is tried again.` };
      },
    });
    this.#endTrouble();
    return result;
  }

  /** Something gets through again: what is still tried again does not say otherwise. */
  #endTrouble(): void {
    const state = this.state.value;
    if ('trouble' in state) this.state.value = { at: state.at };
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

/** A request whose bytes cannot be read ends as one that nobody answers, and would for ever. Throws. */
async function unlessUnread(bytes: Blob, error: unknown): Promise<never> {
  if (!(error instanceof NoAnswer)) throw error;
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

function mayPass(error: Error, attemptNumber: number): boolean {
  if (error instanceof NoAnswer) return true;
  if (!(error instanceof Refusal)) return false;
  const { status } = error;
  if (status >= 500 || status === 408 || status === 429) return true;
  return error instanceof PartRefusal && status !== 404 && attemptNumber < MOST_REFUSALS;
}

/** The server takes nothing that it does not know. */
function nameOf({ key, uploadId }: OpenUpload): UploadName {
  return { key, uploadId };
}

/** An upload that is gone is not the worst; what else goes wrong is thrown. */
function unlessGone(error: unknown): undefined {
  if (!(error instanceof Refusal) || error.status !== 404) throw error;
}
