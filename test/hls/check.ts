import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { parse, setOptions, types } from 'hls-parser';

const run = promisify(execFile);
setOptions({ strictMode: true });

/** Reads a playlist or one of its files by the path of its URL. */
export type Read = (path: string) => Promise<Buffer>;

export interface Expectations {
  /** Of the plan; not checked if absent. */
  readonly frames?: number;
  readonly durationSeconds?: number;
}

/** The tolerance of measured bit rates: rules 1.26 and 1.27 of Apple's authoring specification. */
const RATE_TOLERANCE = 0.1;
/** The duration of an AAC frame at 48 kHz, in seconds. */
const AAC_FRAME = 1024 / 48_000;

/**
 * Checks an asset against RFC 8216 and Apple's authoring specification, with an independent parser and with ffprobe.
 * Uses no code of the worker. Returns a sentence for each broken rule.
 */
export async function checkHls(
  read: Read,
  playlist: string,
  expected: Expectations = {},
): Promise<readonly string[]> {
  const problems: string[] = [];
  try {
    problems.push(...(await checkAsset(read, playlist, expected, problems)));
  } catch (error) {
    problems.push(String(error));
  }
  return problems;
}

/** Returns problems, and adds those to `found` that it finds before something turns out to be unreadable. */
async function checkAsset(
  read: Read,
  playlist: string,
  expected: Expectations,
  found: string[],
): Promise<readonly string[]> {
  const problems: string[] = [];
  const text = (await read(playlist)).toString('utf8');
  found.push(...checkText(playlist, text));
  const master = tryParse(playlist, text, found);
  if (!(master instanceof types.MasterPlaylist))
    return [...problems, `${playlist} names no variants.`];
  if (!master.independentSegments) problems.push(`${playlist} lacks EXT-X-INDEPENDENT-SEGMENTS.`);
  if (master.variants.length === 0) problems.push(`${playlist} has no variants.`);
  const base = posix.dirname(playlist);
  problems.push(...(await checkSessionData(read, base, master)));
  const media = new Map<string, Promise<Track>>();
  const open = (uri: string) => {
    const path = posix.join(base, uri);
    const known = media.get(path) ?? readTrack(read, path, found);
    media.set(path, known);
    return known;
  };
  const groups = new Map(
    master.variants.flatMap(({ audio }) => audio.map((one) => [one.uri, one] as const)),
  );
  const sounds: Track[] = [];
  for (const { uri, language, name } of groups.values()) {
    if (!language) problems.push(`The sound ${name} has no LANGUAGE.`);
    if (uri) sounds.push(await open(uri));
  }
  for (const variant of master.variants) {
    const track = await open(variant.uri);
    // An audio-only variant is the sound track itself, which must not count twice.
    const others = variant.audio.length > 0 && track.codec === 'h264' ? sounds : [];
    problems.push(...checkVariant(variant, track, others));
  }
  const tracks = await Promise.all(media.values());
  problems.push(...tracks.flatMap((track) => checkTrack(track, expected)));
  problems.push(...checkTogether(tracks));
  return problems;
}

/** Checks that the poster and the storyboards with their sheets exist. */
async function checkSessionData(
  read: Read,
  base: string,
  { sessionDataList }: types.MasterPlaylist,
): Promise<string[]> {
  const problems: string[] = [];
  for (const { id, value = '' } of sessionDataList) {
    const path = posix.join(base, value);
    if (id.endsWith('.poster')) await read(path);
    if (!id.endsWith('.storyboard')) continue;
    const text = (await read(path)).toString('utf8');
    if (!text.startsWith('WEBVTT\n')) problems.push(`${path} is no WebVTT.`);
    const sheets = [...text.matchAll(/^(\S+)#xywh=\d+,\d+,\d+,\d+$/gm)].map(
      ([, sheet = '']) => sheet,
    );
    if (sheets.length === 0) problems.push(`${path} shows nothing.`);
    for (const sheet of new Set(sheets)) await read(posix.join(posix.dirname(path), sheet));
  }
  return problems;
}

/** A media playlist and what ffprobe found in its segments. */
interface Track {
  readonly path: string;
  readonly target: number;
  readonly segments: readonly SegmentFacts[];
  readonly codec: string;
  readonly size: string;
}

interface SegmentFacts {
  readonly uri: string;
  readonly extinf: number;
  readonly bytes: number;
  /** Presentation times of the frames in seconds, in order. */
  readonly shown: readonly number[];
  readonly keys: readonly number[];
  /** The CODECS string (RFC 6381) of the sequence parameter set. */
  readonly avc: string | undefined;
  readonly firstIsIdr: boolean;
  /** The first and last continuity counter of each PID; the last is -1 if the counter breaks in between. */
  readonly counters: ReadonlyMap<number, readonly [number, number]>;
  readonly startsWithTables: boolean;
}

/** Checks the rules that a parser tolerates and a player may not. */
function checkText(path: string, text: string): string[] {
  const problems: string[] = [];
  const lines = text.split('\n');
  if (lines[0] !== '#EXTM3U') problems.push(`${path} does not begin with #EXTM3U.`);
  if (/[^\P{Cc}\r\n]/u.test(text) || text.startsWith('\ufeff')) {
    problems.push(`${path} holds control characters or a byte order mark.`);
  }
  for (const tag of [
    'EXT-X-VERSION',
    'EXT-X-TARGETDURATION',
    'EXT-X-PLAYLIST-TYPE',
    'EXT-X-ENDLIST',
  ]) {
    const count = lines.filter((line) => line.startsWith(`#${tag}`)).length;
    if (count > 1) problems.push(`${path} has ${tag} ${count} times.`);
  }
  if (Number(/#EXT-X-VERSION:(\d+)/.exec(text)?.[1] ?? 1) !== 3) {
    problems.push(`${path} is not of version 3, which is sufficient.`);
  }
  for (const line of lines) {
    if (line !== '' && !line.startsWith('#') && !/^[\w./~%-]+$/.test(line)) {
      problems.push(`${path} has the URI ${JSON.stringify(line)}, which is not encoded.`);
    }
  }
  return problems;
}

function tryParse(path: string, text: string, problems: string[]) {
  try {
    return parse(text);
  } catch (error) {
    problems.push(`${path} cannot be parsed: ${String(error)}`);
    return undefined;
  }
}

async function readTrack(read: Read, path: string, problems: string[]): Promise<Track> {
  const text = (await read(path)).toString('utf8');
  problems.push(...checkText(path, text));
  const playlist = tryParse(path, text, problems);
  if (!(playlist instanceof types.MediaPlaylist)) throw new Error(`${path} is no media playlist.`);
  if (playlist.playlistType !== 'VOD' || !playlist.endlist) {
    problems.push(`${path} is not a finished playlist of type VOD.`);
  }
  const folder = await mkdtemp(join(tmpdir(), 'hls-check-'));
  try {
    const files = await Promise.all(
      playlist.segments.map(({ uri }) => read(posix.join(posix.dirname(path), uri))),
    );
    // One ffprobe reads all segments; the position in the joined file tells which segment a frame belongs to.
    const joined = join(folder, 'joined.ts');
    await writeFile(joined, Buffer.concat(files));
    const probed = await probe(joined);
    let offset = 0;
    const segments = playlist.segments.map(({ uri, duration, discontinuity }, index) => {
      const bytes = files[index] ?? Buffer.alloc(0);
      const end = offset + bytes.length;
      const packets = probed.packets.filter(({ pos }) => pos >= offset && pos < end);
      offset = end;
      if (discontinuity) problems.push(`${path} has a discontinuity at ${uri}.`);
      return {
        uri,
        extinf: duration,
        bytes: bytes.length,
        shown: packets.map(({ pts }) => pts).sort((a, b) => a - b),
        keys: packets.filter(({ key }) => key).map(({ pts }) => pts),
        ...readNalUnits(bytes),
        ...readPackets(bytes),
      };
    });
    return { path, target: playlist.targetDuration, segments, ...probed.stream };
  } finally {
    await rm(folder, { recursive: true });
  }
}

interface ProbeJson {
  readonly streams: readonly {
    readonly codec_type: string;
    readonly codec_name: string;
    readonly width?: number;
    readonly height?: number;
  }[];
  readonly packets: readonly {
    readonly pts_time: string;
    readonly pos: string;
    readonly flags: string;
  }[];
}

async function probe(path: string) {
  const entries = 'stream=codec_type,codec_name,width,height:packet=pts_time,pos,flags';
  const { stdout, stderr } = await run(
    'ffprobe',
    ['-v', 'warning', '-show_entries', entries, '-of', 'json', path],
    { maxBuffer: 2 ** 28 },
  );
  if (/continuity|corrupt/i.test(stderr)) throw new Error(`${path}: ${stderr}`);
  const { streams, packets } = JSON.parse(stdout) as ProbeJson;
  const [stream, ...others] = streams;
  if (!stream || others.length > 0)
    throw new Error(`${path} has ${streams.length} streams, not one.`);
  const size = stream.width ? `${stream.width}x${stream.height ?? 0}` : '';
  return {
    stream: { codec: stream.codec_name, size },
    packets: packets.map(({ pts_time, pos, flags }) => ({
      pts: Number(pts_time),
      pos: Number(pos),
      key: flags.startsWith('K'),
    })),
  };
}

/** Reads the first NAL units, by their start codes in the payload of the packets. */
function readNalUnits(bytes: Buffer): Pick<SegmentFacts, 'avc' | 'firstIsIdr'> {
  const payload: Buffer[] = [];
  let streamPid: number | undefined;
  for (let offset = 0; offset + 188 <= bytes.length && payload.length < 200; offset += 188) {
    const control = bytes.readUInt8(offset + 3);
    if (!(control & 0x10)) continue;
    const start = control & 0x20 ? 5 + bytes.readUInt8(offset + 4) : 4;
    const data = bytes.subarray(offset + start, offset + 188);
    const pid = bytes.readUInt16BE(offset + 1) & 0x1fff;
    // The first PES packet tells the PID of the stream; tables can come between its packets.
    if (data.indexOf('000001', 0, 'hex') === 0) streamPid ??= pid;
    if (pid === streamPid) payload.push(data);
  }
  const stream = Buffer.concat(payload);
  let avc: string | undefined;
  for (let at = stream.indexOf('000001', 0, 'hex'); at >= 0;) {
    const type = stream.readUInt8(at + 3) & 0x1f;
    // From 0x80 on, this is the stream id of a PES header.
    const header = stream.readUInt8(at + 3) >= 0x80;
    if (!header && type === 7) avc ??= `avc1.${stream.toString('hex', at + 4, at + 7)}`;
    if (!header && (type === 1 || type === 5)) return { avc, firstIsIdr: type === 5 };
    at = stream.indexOf('000001', at + 3, 'hex');
  }
  return { avc, firstIsIdr: false };
}

function codecsOf({ codec, segments }: Track): readonly string[] {
  if (codec === 'aac') return ['mp4a.40.2'];
  return [...new Set(segments.map(({ avc }) => avc ?? 'none'))];
}

/** Reads the facts about a transport stream that ffprobe does not report. */
function readPackets(bytes: Buffer) {
  const counters = new Map<number, [number, number]>();
  const pids: number[] = [];
  for (let offset = 0; offset + 188 <= bytes.length; offset += 188) {
    const pid = bytes.readUInt16BE(offset + 1) & 0x1fff;
    pids.push(pid);
    const control = bytes.readUInt8(offset + 3);
    if (!(control & 0x10)) continue;
    const known = counters.get(pid);
    const counter = control & 15;
    if (known && counter !== (known[1] + 1) % 16) counters.set(pid, [known[0], -1]);
    else if (known?.[1] !== -1) counters.set(pid, [known?.[0] ?? counter, counter]);
  }
  return { counters, startsWithTables: pids[0] === 0 && pids[1] !== undefined && pids[1] >= 0x20 };
}

function checkTrack(track: Track, { frames, durationSeconds }: Expectations): string[] {
  const problems: string[] = [];
  const { path, target, segments } = track;
  const video = track.codec === 'h264';
  const all = segments.flatMap(({ shown }) => shown);
  const total = segments.reduce((sum, { extinf }) => sum + extinf, 0);
  const frame = video ? interval(all) : AAC_FRAME;
  const media = (all.at(-1) ?? 0) - (all[0] ?? 0) + frame;
  segments.forEach((segment, index) => {
    const { uri, extinf, shown } = segment;
    const name = `${path}: ${uri}`;
    if (Math.round(extinf) > target)
      problems.push(`${name} lasts longer than the target of ${target} s.`);
    const length = (shown.at(-1) ?? 0) - (shown[0] ?? 0) + frame;
    if (Math.abs(length - extinf) > frame * 1.01) {
      problems.push(`${name} lasts ${length.toFixed(4)} s, but EXTINF is ${extinf}.`);
    }
    if (!segment.startsWithTables) problems.push(`${name} does not begin with PAT and PMT.`);
    if (video && !segment.firstIsIdr) problems.push(`${name} does not begin with an IDR picture.`);
    const previous = segments[index - 1];
    if (!previous) return;
    const gap = (shown[0] ?? 0) - (previous.shown.at(-1) ?? 0) - frame;
    if (Math.abs(gap) > 0.002)
      problems.push(`${name} begins ${gap.toFixed(4)} s from the end of the previous segment.`);
    for (const [pid, [first]] of segment.counters) {
      const [, last = 15] = previous.counters.get(pid) ?? [];
      if (first !== (last + 1) % 16) problems.push(`${name} breaks the counter of PID ${pid}.`);
    }
  });
  if (segments.some(({ counters }) => [...counters.values()].some(([, last]) => last === -1))) {
    problems.push(`${path} has a segment that breaks a counter within.`);
  }
  if (Math.abs(total - media) > frame * 1.01) {
    problems.push(
      `${path} declares ${total.toFixed(4)} s in total, but holds ${media.toFixed(4)} s.`,
    );
  }
  if (video && frames !== undefined && all.length !== frames) {
    problems.push(`${path} has ${all.length} frames, not ${frames}.`);
  }
  if (durationSeconds !== undefined && Math.abs(total - durationSeconds) > Math.max(0.1, frame)) {
    problems.push(
      `${path} lasts ${total.toFixed(3)} s, but the source lasts ${durationSeconds} s.`,
    );
  }
  return problems;
}

function checkTogether(tracks: readonly Track[]): string[] {
  const problems: string[] = [];
  const [first] = tracks.filter(({ codec }) => codec === 'h264');
  const lead = first ?? tracks[0];
  if (!lead) return ['The asset has no media playlists.'];
  for (const track of tracks) {
    if (track === lead) continue;
    const { path } = track;
    if (track.target !== lead.target) problems.push(`${path} has another TARGETDURATION.`);
    if (track.segments.length !== lead.segments.length) {
      problems.push(`${path} has ${track.segments.length} segments, not ${lead.segments.length}.`);
    }
    const exact = track.codec === 'h264' && lead.codec === 'h264';
    if (exact && keysOf(track) !== keysOf(lead))
      problems.push(`${path} has key frames at other times.`);
    const tolerance = exact ? 0.000_02 : 0.045;
    track.segments.forEach(({ shown, uri }, index) => {
      const difference = (shown[0] ?? 0) - (lead.segments[index]?.shown[0] ?? 0);
      if (Math.abs(difference) > tolerance) {
        problems.push(
          `${path}: ${uri} begins ${difference.toFixed(4)} s from that of ${lead.path}.`,
        );
      }
    });
  }
  return problems;
}

function keysOf({ segments }: Track): string {
  return segments.flatMap(({ keys }) => keys.map((key) => key.toFixed(4))).join();
}

function checkVariant(variant: types.Variant, track: Track, sounds: readonly Track[]): string[] {
  const problems: string[] = [];
  const { uri, bandwidth, averageBandwidth = 0, codecs = '', resolution, frameRate } = variant;
  const add = (which: 'peak' | 'average') =>
    rates(track)[which] + Math.max(0, ...sounds.map((sound) => rates(sound)[which]));
  const compare = (tag: string, declared: number, measured: number) => {
    if (Math.abs(measured / declared - 1) > RATE_TOLERANCE) {
      problems.push(
        `${uri} declares ${tag}=${declared}, but ${Math.round(measured)} was measured.`,
      );
    }
  };
  compare('BANDWIDTH', bandwidth, add('peak'));
  compare('AVERAGE-BANDWIDTH', averageBandwidth, add('average'));
  const expected = [track, ...sounds.slice(0, 1)].flatMap((one) => codecsOf(one)).join(',');
  if (codecs !== expected) problems.push(`${uri} declares CODECS="${codecs}", not "${expected}".`);
  if (track.codec !== 'h264') return problems;
  const declared = `${resolution?.width ?? 0}x${resolution?.height ?? 0}`;
  if (declared !== track.size) {
    problems.push(`${uri} declares RESOLUTION=${declared}, but is ${track.size}.`);
  }
  const all = track.segments.flatMap(({ shown }) => shown);
  if (all.length > 1 && Math.abs((frameRate ?? 0) * interval(all) - 1) > 0.002) {
    problems.push(
      `${uri} declares FRAME-RATE=${frameRate ?? 'nothing'}, but has ${(1 / interval(all)).toFixed(3)}.`,
    );
  }
  return problems;
}

/** The mean distance of the frames. For a single frame it is unknown, and taken as 1/25 s. */
function interval(shown: readonly number[]): number {
  return shown.length > 1 ? ((shown.at(-1) ?? 0) - (shown[0] ?? 0)) / (shown.length - 1) : 0.04;
}

/**
 * The peak is defined in draft-pantos-hls-rfc8216bis: over runs of segments of half to one and a half target durations.
 */
function rates({ segments, target }: Track) {
  const rate = (part: readonly SegmentFacts[]) =>
    part.reduce((sum, { bytes }) => sum + bytes * 8, 0) /
    part.reduce((sum, { extinf }) => sum + extinf, 0);
  const average = rate(segments);
  let peak = 0;
  for (let from = 0; from < segments.length; from += 1) {
    for (let to = from + 1; to <= segments.length; to += 1) {
      const part = segments.slice(from, to);
      const seconds = part.reduce((sum, { extinf }) => sum + extinf, 0);
      if (seconds > target * 1.5) break;
      if (seconds >= target * 0.5) peak = Math.max(peak, rate(part));
    }
  }
  return { average, peak: Math.max(peak, average) };
}
