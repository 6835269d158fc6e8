import Hls from 'hls.js';
import type { ErrorData, ManifestParsedData } from 'hls.js';
import { AudioTracks, Renditions } from './choices.ts';
import { LostParts } from './lost-parts.ts';
import { whyNot } from './problems.ts';
import type { Notice, Problem } from './problems.ts';
import { SegmentLoader } from './segment-loader.ts';

/** What fetches the video and feeds it to the <video>, from the press of play to its end or a problem. */
export interface Engine {
  stop(): void;
}

export interface Start {
  readonly src: string;
  /** Seconds. */
  readonly from: number;
  /**
   * The playlist's description: EXT-X-SESSION-DATA by its DATA-ID, and whether there is no picture.
   * Not told by browsers' own engines.
   */
  readonly onSessionData: (values: ReadonlyMap<string, string>, soundOnly: boolean) => void;
  readonly onProblem: (problem: Problem) => void;
  /** Something to say while it plays on; undefined when it is over. */
  readonly onNotice: (notice: Notice | undefined) => void;
}

/** Starts at once, within the press of a button. Undefined where the browser can play no HLS in any way. */
export type StartEngine = (start: Start) => Engine | undefined;

// Left out of the bundle, too: it turns timed metadata into cues, which nothing here reads.
delete Hls.DefaultConfig.id3TrackController;

/** How often a decoder that gave up is started again before the viewer is told. */
const MOST_RECOVERIES = 2;
const HLS_TYPE = 'application/vnd.apple.mpegurl';

/**
 * The engine for this browser. hls.js comes first: Chrome says that it plays HLS by itself, but stumbles
 * over many streams. Safari on iPhones before 17.1 has nothing that hls.js could feed.
 */
export function engineFor(video: HTMLVideoElement): StartEngine {
  if (Hls.isSupported()) return withLibrary(video);
  if (video.canPlayType(HLS_TYPE) !== '') return (start) => startNatively(video, start);
  return () => undefined;
}

function withLibrary(video: HTMLVideoElement): StartEngine {
  let hls: Hls | undefined;
  /** Pixels; of the rendition that the viewer chose, for the next video as well. 0 leaves it to hls.js. */
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
    // Safari has a list of its own, of what is in the stream: here one sound at a time is.
    audioTracks: { value: audioTracks },
  });
  return ({ src, from, onSessionData, onProblem, onNotice }) => {
    const current = new Hls({
      capLevelToPlayerSize: true,
      maxBufferLength: 30,
      backBufferLength: 30,
      // Left out of the bundle (hls.ts).
      enableCEA708Captions: false,
      enableSoftwareAES: false,
      startPosition: from > 0 ? from : -1,
      fLoader: SegmentLoader,
    });
    hls = current;
    const lostParts = new LostParts(current, video, { src, onProblem, onNotice });
    const stop = () => {
      lostParts.stop();
      current.destroy();
      videoRenditions.replace([]);
      audioTracks.replace([], '');
    };
    let recoveries = 0;
    let wasAllowed = false;
    current.on(Hls.Events.MANIFEST_PARSED, (_event, data: ManifestParsedData) => {
      wasAllowed = true;
      const renditions = renditionsOf(current);
      videoRenditions.replace(renditions);
      const chosen = renditions.findIndex(({ height }) => height === chosenHeight);
      if (chosen >= 0) videoRenditions.selectedIndex = chosen;
      onSessionData(sessionData(data), data.audio && !data.video);
    });
    current.on(Hls.Events.AUDIO_TRACKS_UPDATED, () => {
      const tracks = current.audioTracks.map(({ name, lang = '' }, index) => ({
        ...{ id: String(index), label: name, language: lang },
      }));
      audioTracks.replace(tracks, String(Math.max(0, current.audioTrack)));
    });
    current.on(Hls.Events.ERROR, (_event, data: ErrorData) => {
      const { fatal, type, response } = data;
      // Who was given the playlist is no stranger.
      if (type === Hls.ErrorTypes.NETWORK_ERROR && wasAllowed) return lostParts.handle(data);
      if (!fatal) return;
      if (type === Hls.ErrorTypes.MEDIA_ERROR && recoveries < MOST_RECOVERIES) {
        recoveries += 1;
        current.recoverMediaError();
      } else if (type === Hls.ErrorTypes.NETWORK_ERROR) {
        void whyNot(src, response?.code ?? 0).then(onProblem);
      } else {
        onProblem('broken');
      }
    });
    current.loadSource(src);
    current.attachMedia(video);
    return { stop };
  };
}

function startNatively(video: HTMLVideoElement, { src, from, onProblem }: Start): Engine {
  const failed = async () => {
    const { status } = await fetch(src).catch(() => ({ status: 0 }));
    onProblem(await whyNot(src, status));
  };
  const onError = () => void failed();
  video.addEventListener('error', onError);
  video.src = from > 0 ? `${src}#t=${from}` : src;
  return {
    stop: () => {
      video.removeEventListener('error', onError);
      video.removeAttribute('src');
      video.load();
    },
  };
}

/** Those with a picture, where there is a choice. Their ids are the numbers of hls.js's levels. */
function renditionsOf(hls: Hls) {
  const all = hls.levels.flatMap(({ width, height, bitrate }, level) =>
    height > 0 ? [{ id: String(level), width, height, bitrate }] : [],
  );
  return all.length > 1 ? all : [];
}

function levelOf(hls: Hls, index: number): number {
  return Number(renditionsOf(hls)[index]?.id ?? -1);
}

function sessionData({ sessionData: data }: ManifestParsedData): ReadonlyMap<string, string> {
  const values = Object.entries(data ?? {}).map(([id, { VALUE }]) => [id, VALUE ?? ''] as const);
  return new Map(values);
}
