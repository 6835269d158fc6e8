import type {
  FragmentLoaderContext,
  HlsConfig,
  Loader,
  LoaderCallbacks,
  LoaderConfiguration,
  LoaderContext,
  LoaderStats,
} from 'hls.js';

/**
 * Loads segments as hls.js does, but reports a response without media as an error whatever its status. A captive portal
 * answers every request with its sign-in page, and hls.js would silently skip such a segment.
 */
export class SegmentLoader implements Loader<FragmentLoaderContext> {
  readonly #loader: Loader<LoaderContext>;
  context: FragmentLoaderContext | null = null;

  constructor(config: HlsConfig) {
    this.#loader = new config.loader(config);
  }

  get stats(): LoaderStats {
    return this.#loader.stats;
  }

  destroy(): void {
    this.#loader.destroy();
    this.context = null;
  }

  abort(): void {
    this.#loader.abort();
  }

  getCacheAge(): number | null {
    return this.#loader.getCacheAge?.() ?? null;
  }

  getResponseHeader(name: string): string | null {
    return this.#loader.getResponseHeader?.(name) ?? null;
  }

  load(
    context: FragmentLoaderContext,
    config: LoaderConfiguration,
    callbacks: LoaderCallbacks<FragmentLoaderContext>,
  ): void {
    this.context = context;
    this.#loader.load(context, config, {
      onSuccess: (response, stats, _context, details) => {
        const { data, code = 200 } = response;
        // Encrypted data cannot be recognised.
        if (context.frag.encrypted || (data instanceof ArrayBuffer && isMedia(data))) {
          callbacks.onSuccess(response, stats, context, details);
        } else {
          callbacks.onError({ code, text: 'The response is not media.' }, context, details, stats);
        }
      },
      onError: (error, _context, details, stats) =>
        callbacks.onError(error, context, details, stats),
      onTimeout: (stats, _context, details) => callbacks.onTimeout(stats, context, details),
      onAbort: (stats, _context, details) => callbacks.onAbort?.(stats, context, details),
    });
  }
}

const PACKET_BYTES = 188;
const SYNC_BYTE = 0x47;
/** How many packets into the data the first sync byte may be, as in hls.js. */
const MAX_LEADING_PACKETS = 5;
const BOX_TYPES = ['ftyp', 'styp', 'moof', 'moov', 'sidx', 'emsg', 'prft', 'free', 'skip'];

/** Whether the data looks like a segment in one of the formats of HLS (RFC 8216, 3). */
function isMedia(data: ArrayBuffer): boolean {
  const bytes = new Uint8Array(data);
  const [first = 0, second = 0] = bytes;
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  return (
    BOX_TYPES.includes(text(4, 8)) ||
    text(0, 3) === 'ID3' ||
    /^(\xef\xbb\xbf)?WEBVTT/.test(text(0, 9)) ||
    // AAC and MP3 begin with eleven set bits, AC-3 with the sync word 0x0b77.
    (first === 0xff && second >= 0xe0) ||
    (first === 0x0b && second === 0x77) ||
    isTransportStream(bytes)
  );
}

function isTransportStream(bytes: Uint8Array): boolean {
  const end = Math.min(MAX_LEADING_PACKETS * PACKET_BYTES, bytes.length - PACKET_BYTES);
  for (let at = 0; at < end; at += 1) {
    if (bytes[at] === SYNC_BYTE && bytes[at + PACKET_BYTES] === SYNC_BYTE) return true;
  }
  return false;
}
