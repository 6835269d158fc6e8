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
 * Loads segments as hls.js does, and calls an answer without media an error, whatever its status: networks
 * that ask for a sign-in answer every address with a page. hls.js would skip such a segment in silence.
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
        // Of what is encrypted nothing can be said.
        if (context.frag.encrypted || (data instanceof ArrayBuffer && isMedia(data))) {
          callbacks.onSuccess(response, stats, context, details);
        } else {
          callbacks.onError({ code, text: 'The answer is no media.' }, context, details, stats);
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
const SYNC = 0x47;
/** How far behind the beginning the first packet may be: as far as hls.js looks for it. */
const MOST_PACKETS_BEFORE = 5;
const BOXES = ['ftyp', 'styp', 'moof', 'moov', 'sidx', 'emsg', 'prft', 'free', 'skip'];

/** Whether that looks like one of the kinds of segment that HLS has (RFC 8216, 3). */
function isMedia(data: ArrayBuffer): boolean {
  const bytes = new Uint8Array(data);
  const [first = 0, second = 0] = bytes;
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  return (
    BOXES.includes(text(4, 8)) ||
    text(0, 3) === 'ID3' ||
    /^(\xef\xbb\xbf)?WEBVTT/.test(text(0, 9)) ||
    // AAC and MP3 begin with eleven bits set, AC-3 with a word of its own.
    (first === 0xff && second >= 0xe0) ||
    (first === 0x0b && second === 0x77) ||
    isTransportStream(bytes)
  );
}

function isTransportStream(bytes: Uint8Array): boolean {
  const end = Math.min(MOST_PACKETS_BEFORE * PACKET_BYTES, bytes.length - PACKET_BYTES);
  for (let at = 0; at < end; at += 1) {
    if (bytes[at] === SYNC && bytes[at + PACKET_BYTES] === SYNC) return true;
  }
  return false;
}
