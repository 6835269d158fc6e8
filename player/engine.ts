import Hls from 'hls.js';
import type { ErrorData, ManifestParsedData } from 'hls.js';
import { diagnose } from './problems.ts';
import type { Notice, Problem } from './problems.ts';
import { SegmentLoader } from './segment-loader.ts';
import { SegmentRecovery } from './segment-recovery.ts';
import { AudioTracks, Renditions } from './tracks.ts';

/** Fetches a video and feeds it to the `<video>` until it is stopped. */
export interface Engine {
  stop(): void;
}

export interface EngineOptions {
  readonly src: string;
  /** Where playback starts, in seconds. */
  readonly startTime: number;
  /**
   * Reports the playlist's EXT-X-SESSION-DATA by DATA-ID, and whether the video is sound only.
   * Browsers' own engines do not report it.
   */
  readonly onSessionData: (values: ReadonlyMap<string, string>, soundOnly: boolean) => void;
  readonly onProblem: (problem: Problem) => void;
  /** A notice to show while playback continues, or undefined to hide it. */
  readonly onNotice: (notice: Notice | undefined) => void;
}

/**
 * Starts synchronously, as browsers allow playback only within the handler of a click.
 * Undefined if the browser cannot play HLS at all.
 */
export type StartEngine = (options: EngineOptions) => Engine | undefined;

// The bundle leaves this controller out, too. It turns timed metadata into cues, which nothing here reads.
delete Hls.DefaultConfig.id3TrackController;

/** How often a failed decoder is restarted before the viewer is told. */
const MAX_DECODER_RESTARTS = 2;
const HLS_TYPE = 'application/vnd.apple.mpegurl';

/**
 * Selects the engine for this browser. hls.js comes first: Chrome reports native HLS support, but fails on many
 * streams. Safari on iPhones before iOS 17.1 lacks the Media Source Extensions that hls.js needs.
 */
export function selectEngine(video: HTMLVideoElement): StartEngine {
  if (Hls.isSupported()) return hlsJsEngine(video);
  if (video.canPlayType(HLS_TYPE) !== '') return (options) => startNativeEngine(video, options);
  return () => undefined;
}

function hlsJsEngine(video: HTMLVideoElement): StartEngine {
  let hls: Hls | undefined;
  /** Pixels. The height that the viewer chose applies to the next video, too. 0 leaves the choice to hls.js. */
  let chosenHeight = 0;
  const videoRenditions = new Renditions((index) => {
    if (!hls) return;
    hls.nextLevel = levelOf(hls, index);
    chosenHeight = renditionsOf(hls)[index]?.height ?? 0;
  });
  const audioTracks = new AudioTracks((id) => {
    if (hls) hls.audioTrack = Number(id);
  });
  Object.defineProperties(video, {
    videoRenditions: { value: videoRenditions },
    // Replaces Safari's own list, which has only the tracks in the current stream: hls.js plays one at a time.
    audioTracks: { value: audioTracks },
  });
  return ({ src, startTime, onSessionData, onProblem, onNotice }) => {
    const current = new Hls({
      capLevelToPlayerSize: true,
      maxBufferLength: 30,
      backBufferLength: 30,
      // The bundle leaves these two out (bundle-hls.ts).
      enableCEA708Captions: false,
      enableSoftwareAES: false,
      startPosition: startTime > 0 ? startTime : -1,
      fLoader: SegmentLoader,
    });
    hls = current;
    const recovery = new SegmentRecovery(current, video, { src, onProblem, onNotice });
    const stop = () => {
      recovery.stop();
      current.destroy();
      videoRenditions.replace([]);
      audioTracks.replace([], '');
    };
    let restarts = 0;
    let hasPlaylist = false;
    current.on(Hls.Events.MANIFEST_PARSED, (_event, data: ManifestParsedData) => {
      hasPlaylist = true;
      const renditions = renditionsOf(current);
      videoRenditions.replace(renditions);
      const chosen = renditions.findIndex(({ height }) => height === chosenHeight);
      if (chosen >= 0) videoRenditions.selectedIndex = chosen;
      onSessionData(sessionDataOf(data), data.audio && !data.video);
    });
    current.on(Hls.Events.AUDIO_TRACKS_UPDATED, () => {
      const tracks = current.audioTracks.map(({ name, lang = '' }, index) => ({
        id: String(index),
        label: name,
        language: lang,
      }));
      audioTracks.replace(tracks, String(Math.max(0, current.audioTrack)));
    });
    current.on(Hls.Events.ERROR, (_event, data: ErrorData) => {
      const { fatal, type, response } = data;
      // The server allowed the playlist, so the site is not blocked and a missing segment can be recovered.
      if (type === Hls.ErrorTypes.NETWORK_ERROR && hasPlaylist) return recovery.handleError(data);
      if (!fatal) return;
      if (type === Hls.ErrorTypes.MEDIA_ERROR && restarts < MAX_DECODER_RESTARTS) {
        restarts += 1;
        current.recoverMediaError();
      } else if (type === Hls.ErrorTypes.NETWORK_ERROR) {
        void diagnose(src, response?.code ?? 0).then(onProblem);
      } else {
        onProblem('broken');
      }
    });
    current.loadSource(src);
    current.attachMedia(video);
    return { stop };
  };
}

function startNativeEngine(
  video: HTMLVideoElement,
  { src, startTime, onProblem }: EngineOptions,
): Engine {
  const reportProblem = async () => {
    const { status } = await fetch(src).catch(() => ({ status: 0 }));
    onProblem(await diagnose(src, status));
  };
  const onError = () => void reportProblem();
  video.addEventListener('error', onError);
  video.src = startTime > 0 ? `${src}#t=${startTime}` : src;
  return {
    stop: () => {
      video.removeEventListener('error', onError);
      video.removeAttribute('src');
      video.load();
    },
  };
}

/** The renditions that have video, or none if there is only one. Their ids are hls.js's level numbers. */
function renditionsOf(hls: Hls) {
  const all = hls.levels.flatMap(({ width, height, bitrate }, level) =>
    height > 0 ? [{ id: String(level), width, height, bitrate }] : [],
  );
  return all.length > 1 ? all : [];
}

function levelOf(hls: Hls, index: number): number {
  return Number(renditionsOf(hls)[index]?.id ?? -1);
}

function sessionDataOf({ sessionData }: ManifestParsedData): ReadonlyMap<string, string> {
  return new Map(Object.entries(sessionData ?? {}).map(([id, { VALUE }]) => [id, VALUE ?? '']));
}
