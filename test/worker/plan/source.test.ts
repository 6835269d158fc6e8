import { describe, expect, test } from 'vitest';
import { RejectedError } from '../../../core/model/errors.ts';
import { needsDeepProbe, parseProbe, applyPace } from '../../../worker/plan/source.ts';
import type { PictureWanted } from '../../../worker/plan/source.ts';

const limits = { maxDurationSeconds: 3600, maxSizeBytes: 1e9, maxPicturePixels: 36e6 };

/** ffprobe's output for an ordinary recording. */
const FORMAT = { format_name: 'mov,mp4,m4a,3gp,3g2,mj2', start_time: '0.000000', duration: '10' };
const PICTURE = {
  ...{ index: 0, codec_type: 'video', codec_name: 'h264', width: 1280, height: 720 },
  ...{ pix_fmt: 'yuv420p', field_order: 'progressive', bits_per_raw_sample: '8' },
  ...{ avg_frame_rate: '30000/1001', r_frame_rate: '30000/1001', sample_aspect_ratio: '1:1' },
  ...{ time_base: '1/30000', nb_frames: '300' },
  ...{ start_time: '0.000000', duration: '10.000000' },
  disposition: { default: 1, attached_pic: 0 },
};
const SOUND = {
  ...{ index: 1, codec_type: 'audio', codec_name: 'aac', sample_rate: '48000', channels: 2 },
  ...{ avg_frame_rate: '0/0', r_frame_rate: '0/0', start_time: '0.000000', duration: '10.000000' },
  ...{ time_base: '1/48000', nb_frames: '469' },
  disposition: { default: 1, attached_pic: 0 },
  tags: { language: 'eng' },
};
const COVER = {
  ...{ index: 2, codec_type: 'video', codec_name: 'mjpeg', width: 4000, height: 4000 },
  disposition: { default: 0, attached_pic: 1 },
};
const TIMECODE = { index: 3, codec_type: 'data', codec_tag_string: 'tmcd' };

const parse = (streams: readonly object[], format: object = {}, wanted?: PictureWanted) =>
  parseProbe({ format: { ...FORMAT, ...format }, streams }, 1000, limits, wanted);

const needsDeep = (streams: readonly object[], format_name = FORMAT.format_name) =>
  needsDeepProbe({ format: { ...FORMAT, format_name }, streams });

function rejection(
  streams: readonly object[],
  format: object = {},
  wanted?: PictureWanted,
): string {
  try {
    return JSON.stringify(parse(streams, format, wanted));
  } catch (error) {
    if (error instanceof RejectedError) return error.code;
    throw error;
  }
}

const pictureOf = (odd: object) => parse([{ ...PICTURE, ...odd }]).video;

describe('A source', () => {
  test('A source is parsed into its picture, its sounds and the streams that are left out', () => {
    expect(parse([TIMECODE, COVER, SOUND, PICTURE])).toEqual({
      demuxer: 'mov,mp4,m4a,3gp,3g2,mj2',
      sizeBytes: 1000,
      startSeconds: 0,
      durationSeconds: 10,
      video: {
        index: 0,
        codec: 'h264',
        display: { width: 1280, height: 720 },
        turn: 'none',
        rates: { average: { num: 30_000, den: 1001 }, base: { num: 30_000, den: 1001 } },
        variableFrameRate: false,
        fieldOrder: 'progressive',
        fieldsFlagged: false,
        resized: false,
        transfer: 'sdr',
        bitDepth: 8,
        rgb: false,
        alpha: false,
      },
      audio: [
        {
          ...{ streams: [{ index: 1, channels: 2 }], codec: 'aac', channels: 2 },
          ...{ sampleRate: 48_000, language: 'en', default: true },
        },
      ],
      leftOut: [
        { stream: 3, what: 'data', codec: 'tmcd', reason: 'not_shown_or_heard' },
        { stream: 2, what: 'picture', codec: 'mjpeg', reason: 'cover_of_video' },
      ],
      unidentifiedAudio: [],
      soundSeconds: 0,
      longestSeconds: 10,
    });
  });

  test('A source that declares more pictures than it has bytes is damaged', () => {
    expect(rejection([{ ...PICTURE, nb_frames: '40000000' }])).toBe('damaged_source');
    expect(rejection([{ ...PICTURE, nb_frames: '240' }, SOUND])).not.toBe('damaged_source');
    // Old QuickTime counts the samples of compressed sound, several of which share a byte.
    expect(rejection([PICTURE, { ...SOUND, nb_frames: '4000' }])).not.toBe('damaged_source');
  });

  test('A source begins with its earliest stream and ends with its last', () => {
    const late = { ...SOUND, start_time: '1.5', duration: '12' };
    const early = { ...PICTURE, start_time: '-0.5' };
    const whole = { start_time: '-0.5', duration: '14' };
    expect(parse([early, late], whole)).toMatchObject({ startSeconds: -0.5, durationSeconds: 14 });
  });

  test('A source lasts no longer than its container, and subtitles do not count', () => {
    const late = { ...SOUND, start_time: '1.5', duration: '12' };
    expect(parse([PICTURE, late], { duration: '11' }).durationSeconds).toBe(11);
    expect(parse([PICTURE, SOUND], { duration: '18' }).durationSeconds).toBe(10);
  });

  test('A source has no duration if neither one of its streams nor the container declares one', () => {
    const live = parse([{ ...PICTURE, duration: undefined }, SOUND], { duration: undefined });
    expect(live.durationSeconds).toBeUndefined();
    const tagged = { ...PICTURE, duration: undefined, tags: { DURATION: '00:00:15.005000000' } };
    expect(parse([tagged, SOUND], { duration: undefined }).durationSeconds).toBe(15.005);
  });

  test('A declared duration of zero counts as none', () => {
    const zero = [
      { ...PICTURE, duration: '0.000000' },
      { ...SOUND, duration: '0.000000' },
    ];
    expect(parse(zero).durationSeconds).toBe(10);
    expect(parse(zero, { duration: '0' }).durationSeconds).toBeUndefined();
    const tagged = { ...PICTURE, duration: undefined, tags: { DURATION: '00:00:00.000000000' } };
    expect(parse([tagged]).durationSeconds).toBe(10);
  });

  test.each([30, 3600, 1_700_000_000])(
    'A fragmented source that begins at %d s declares its end, not its duration',
    (start) => {
      const odd = { nb_frames: undefined, start_time: String(start), duration: String(start + 6) };
      const fragments = [
        { ...PICTURE, ...odd },
        { ...SOUND, ...odd },
      ];
      const expected = { startSeconds: start, durationSeconds: 6, longestSeconds: 6 };
      expect(parse(fragments, odd)).toMatchObject(expected);
      const whole = { ...PICTURE, start_time: '30', duration: '36' };
      const format = { start_time: '30', duration: '36' };
      expect(parse([whole], format)).toMatchObject({ durationSeconds: 36 });
    },
  );

  test('A source with several pictures shows the default one, else the largest', () => {
    const plain = { ...PICTURE, disposition: { default: 0 } };
    const small = { ...plain, index: 4, width: 320, height: 180 };
    expect(parse([small, plain]).video?.index).toBe(0);
    expect(parse([{ ...small, disposition: { default: 1 } }, plain]).video?.index).toBe(4);
  });

  test('A source keeps sound of known formats and leaves out the rest', () => {
    const unknown = { ...SOUND, codec_name: undefined, codec_tag_string: 'apac' };
    const empty = { ...SOUND, index: 5, channels: 0 };
    expect(parse([PICTURE, unknown, { ...SOUND, index: 6 }, empty]).audio).toHaveLength(1);
    expect(parse([PICTURE, empty])).toMatchObject({ audio: [], unidentifiedAudio: [5] });
  });

  test('A source needs a deep probe if the format of a picture or sound was not found', () => {
    expect(needsDeep([PICTURE, SOUND, COVER, TIMECODE])).toBe(false);
    expect(needsDeep([PICTURE, { ...SOUND, channels: 0 }])).toBe(true);
    expect(needsDeep([{ ...PICTURE, width: 0, height: 0 }, SOUND])).toBe(true);
    expect(needsDeep([PICTURE, SOUND, { ...COVER, width: 0 }])).toBe(false);
    expect(needsDeep([PICTURE, SOUND], 'mpeg')).toBe(true);
  });

  test('A source of several programs has the sounds of the program whose picture it shows', () => {
    const streams = [
      { ...PICTURE, width: 640, height: 360, disposition: { default: 0 } },
      SOUND,
      { ...PICTURE, index: 2, disposition: { default: 0 } },
      { ...SOUND, index: 3 },
      { ...SOUND, index: 4 },
    ];
    const programs = [[0, 1], [2, 3], []].map((indexes) => ({
      streams: indexes.map((index) => ({ index })),
    }));
    const media = parseProbe({ format: FORMAT, streams, programs }, 1000, limits);
    expect(media.video?.index).toBe(2);
    expect(media.audio.map(({ streams }) => streams[0]?.index)).toEqual([3, 4]);
  });
});

describe('A picture', () => {
  test.each([
    ['turned by its matrix', { side_data_list: [{ rotation: -90 }] }, 720, 1280],
    ['turned by its tag', { tags: { rotate: '270' } }, 720, 1280],
    ['turned upside down', { side_data_list: [{ rotation: 180 }] }, 1280, 720],
    ['turned by an odd angle', { side_data_list: [{ rotation: 45 }] }, 1280, 720],
    ['turned by nearly a quarter', { side_data_list: [{ rotation: -89.5 }] }, 720, 1280],
    ['with wide samples', { width: 1440, height: 1080, sample_aspect_ratio: '4:3' }, 1920, 1080],
    ['with narrow samples', { width: 640, height: 360, sample_aspect_ratio: '2:3' }, 427, 360],
    ['with an undefined sample aspect ratio', { sample_aspect_ratio: '0:1' }, 1280, 720],
    ['with an absurd sample aspect ratio', { sample_aspect_ratio: '1:255' }, 1280, 720],
  ])('A picture %s is shown upright and in proportion', (_how, odd, width, height) => {
    expect(pictureOf(odd)?.display).toEqual({ width, height });
  });

  test('A sideways picture with wide samples is stretched along its height', () => {
    const odd = { sample_aspect_ratio: '2:1', side_data_list: [{ rotation: 90 }] };
    expect(pictureOf({ ...odd, width: 360, height: 640 })?.display).toEqual({
      width: 640,
      height: 720,
    });
  });

  test.each([
    [
      'of a variable rate',
      { avg_frame_rate: '193/10', r_frame_rate: '24/1' },
      { variableFrameRate: true },
    ],
    ['without a rate', { avg_frame_rate: '0/0', r_frame_rate: '0/0' }, { rates: {} }],
    ['of fields, the top one first', { field_order: 'tt' }, { fieldOrder: 'top_first' }],
    ['of fields, the bottom one first', { field_order: 'tb' }, { fieldOrder: 'bottom_first' }],
    ['in HLG', { color_transfer: 'arib-std-b67' }, { transfer: 'hlg' }],
    ['in PQ', { color_transfer: 'smpte2084' }, { transfer: 'pq' }],
    ['of ten bits', { pix_fmt: 'yuv420p10le', bits_per_raw_sample: 'N/A' }, { bitDepth: 10 }],
    ['of red, green and blue', { pix_fmt: 'gbrp' }, { rgb: true }],
    ['of undeclared colours', { color_space: 'unknown' }, { rgb: false }],
    ['of full range', { color_range: 'pc', color_space: 'bt709' }, { colorRange: 'pc' }],
  ])('A picture %s is recognised', (_what, odd, expected) => {
    expect(pictureOf(odd)).toMatchObject(expected);
  });
});

describe('A display matrix', () => {
  const matrixOf = (rows: readonly (readonly number[])[]) =>
    rows.map((row, index) => `0000000${index}: ${row.join('  ')}`).join('\n');
  const turned = (a: number, b: number, c: number, d: number, odd: object = {}) => {
    const displaymatrix = matrixOf([
      [a, b, 0],
      [c, d, 0],
      [0, 0, 2 ** 30],
    ]);
    return pictureOf({ side_data_list: [{ displaymatrix, rotation: -90 }], ...odd });
  };

  test('A display matrix overrides the angle that ffprobe derives from it', () => {
    expect(turned(0, 65_536, -65_536, 0)).toMatchObject({ turn: 'clock', display: { width: 720 } });
    expect(turned(0, 65_536, 65_536, 0)).toMatchObject({ turn: 'cclock_flip' });
    expect(turned(-65_536, 0, 0, 65_536)).toMatchObject({
      turn: 'hflip',
      display: { width: 1280 },
    });
    expect(turned(-131_072, 0, 0, -131_072)).toMatchObject({ turn: 'half' });
  });

  test('A meaningless display matrix neither turns nor stretches the picture', () => {
    const upright = { turn: 'none', display: { width: 1280, height: 720 } };
    expect(turned(0, 65_536, 5, 0)).toMatchObject(upright);
    expect(turned(65_536, 0, 65_536, 65_536)).toMatchObject(upright);
    // (1² + 1²) / 1² is what ffmpeg makes of the shear.
    const stretched = { sample_aspect_ratio: '1414:1000' };
    expect(turned(65_536, 0, 65_536, 65_536, stretched)).toMatchObject(upright);
    expect(turned(65_536, 0, 65_536, 65_536, { sample_aspect_ratio: '4:3' })).toMatchObject({
      display: { width: 1707 },
    });
  });
});

describe('Dolby Vision', () => {
  const vision = (dv_profile: number, dv_bl_signal_compatibility_id: number) => [
    { ...PICTURE, side_data_list: [{ dv_profile, dv_bl_signal_compatibility_id }] },
  ];

  test.each([
    [5, 0],
    [10, 0],
  ])('Dolby Vision profile %d.%d is rejected by name', (profile, compatibility) => {
    expect(rejection(vision(profile, compatibility))).toBe('dolby_vision_only');
  });

  test.each([
    [4, 2],
    [7, 6],
    [8, 1],
    [8, 4],
    [10, 1],
  ])(
    'Dolby Vision profile %d.%d has a base layer that every player shows',
    (profile, compatibility) => {
      expect(parse(vision(profile, compatibility)).video?.codec).toBe('h264');
    },
  );
});

test.each([
  ['qtrle', 'argb', 'mov,mp4', {}, true],
  ['prores', 'yuva444p12le', 'mov,mp4', {}, true],
  ['png', 'pal8', 'mov,mp4', {}, true],
  ['cinepak', 'pal8', 'avi', {}, false],
  ['rawvideo', 'bgra', 'avi', {}, false],
  ['vp9', 'yuv420p', 'matroska,webm', { alpha_mode: '1' }, true],
  ['vp9', 'yuv420p', 'matroska,webm', {}, false],
  ['h264', 'yuv420p', 'mov,mp4', {}, false],
])(
  '%s as %s in %s with %j has transparency: %j',
  (codec_name, pix_fmt, format_name, tags, alpha) => {
    const { video } = parse([{ ...PICTURE, codec_name, pix_fmt, tags }], { format_name });
    expect(video?.alpha).toBe(alpha);
  },
);

test('The pace of the packets determines whether the frame rate of a picture is variable', () => {
  const copied = pictureOf({ avg_frame_rate: '6330/1031', r_frame_rate: '6330/1031' });
  if (!copied) throw new Error('The source has no picture.');
  expect(copied.variableFrameRate).toBe(false);
  expect(applyPace(copied, 25)).toMatchObject({ rates: { pace: 25 }, variableFrameRate: true });
  expect(applyPace(copied, 0)).toEqual(copied);
});

describe('A language', () => {
  test.each([
    ['kor', 'ko'],
    ['pt_BR', 'pt-BR'],
    ['und', 'und'],
    ['???', 'und'],
    [undefined, 'und'],
  ])('The language %s becomes %s', (language, expected) => {
    const tags = language === undefined ? {} : { language };
    expect(parse([PICTURE, { ...SOUND, tags }]).audio[0]?.language).toBe(expected);
  });
});

describe('Streams that are left out', () => {
  const leftOut = (streams: readonly object[], more: object = {}, wanted?: PictureWanted) =>
    parseProbe({ format: FORMAT, streams, ...more }, 1000, limits, wanted).leftOut.map(
      ({ stream, what, reason }) => [stream, what, reason],
    );
  const other = (more: object) => ({ ...more, index: 9 });
  const program = (...indexes: readonly number[]) => ({
    streams: indexes.map((index) => ({ index })),
  });

  test.each([
    ['a subtitle', { codec_type: 'subtitle' }, 'subtitles', 'no_captions_yet'],
    ['a font', { codec_type: 'attachment' }, 'attachment', 'not_shown_or_heard'],
    ['telemetry', { codec_type: 'data' }, 'data', 'not_shown_or_heard'],
    ['a stream without a type', {}, 'data', 'not_shown_or_heard'],
    [
      'a smaller picture',
      { ...PICTURE, width: 320, disposition: {} },
      'picture',
      'another_picture',
    ],
    ['the cover of a video', COVER, 'picture', 'cover_of_video'],
    ['sound of an unknown codec', { codec_type: 'audio', channels: 2 }, 'sound', 'unknown_codec'],
    ['sound without a format', { codec_type: 'audio', codec_name: 'mp2' }, 'sound', 'never_begins'],
  ])('The asset leaves out %s', (_what, stream, what, reason) => {
    expect(leftOut([PICTURE, SOUND, other(stream)])).toEqual([[9, what, reason]]);
  });

  test('The asset leaves out the streams of other programs of a broadcast', () => {
    const programs = [program(0, 1), program(9)];
    expect(leftOut([PICTURE, SOUND, other(SOUND)], { programs })).toEqual([
      [9, 'sound', 'another_program'],
    ]);
  });

  test('The asset of sound alone leaves out a second cover, and one that cannot be shown', () => {
    expect(leftOut([SOUND, COVER, other(COVER)])).toEqual([[9, 'picture', 'another_picture']]);
    expect(leftOut([SOUND, { ...COVER, width: 0 }])).toEqual([[2, 'picture', 'unusable_cover']]);
  });

  test('The asset leaves out the picture if only the sound was requested', () => {
    expect(leftOut([PICTURE, SOUND], {}, 'left_out')).toEqual([[0, 'picture', 'sound_only']]);
  });

  test('Streams that are left out are listed with their language and codec', () => {
    const subtitles = { codec_type: 'subtitle', codec_name: 'subrip', tags: { language: 'kor' } };
    expect(parse([PICTURE, other(subtitles)]).leftOut).toEqual([
      { stream: 9, what: 'subtitles', codec: 'subrip', language: 'ko', reason: 'no_captions_yet' },
    ]);
    const unnamed = {
      codec_type: 'data',
      codec_name: 'bin_data',
      codec_tag_string: '[0][0][0][0]',
    };
    expect(parse([PICTURE, other(unnamed)]).leftOut).toEqual([
      { stream: 9, what: 'data', reason: 'not_shown_or_heard' },
    ]);
  });
});

describe('Sound alone', () => {
  test('Sound alone is shown with its cover', () => {
    const { video, cover, audio } = parse([SOUND, COVER]);
    expect(video).toBeUndefined();
    expect(cover).toMatchObject({ index: 2, display: { width: 4000, height: 4000 } });
    expect(audio).toHaveLength(1);
    expect(parse([PICTURE, SOUND, COVER]).cover).toBeUndefined();
  });

  test('Sound alone is shown with the front cover of several, and without covers that cannot be shown', () => {
    const front = { ...COVER, index: 5, tags: { comment: 'Cover (front)' } };
    expect(parse([SOUND, COVER, front]).cover?.index).toBe(5);
    const useless = [{ codec_name: undefined }, { width: 0 }, { width: 65_000, height: 65_000 }];
    for (const odd of useless) {
      expect(parse([SOUND, { ...COVER, ...odd }]).cover).toBeUndefined();
    }
  });
});

describe('Rejections', () => {
  test.each([
    ['with a cover and no sound', [COVER], 'no_video'],
    ['with nothing to see or hear', [TIMECODE], 'no_video'],
    ['without any stream', [], 'no_video'],
    [
      'whose picture has an unknown codec',
      [{ ...PICTURE, codec_name: undefined }],
      'unsupported_source',
    ],
    [
      'whose only sound has an unknown codec',
      [PICTURE, { ...SOUND, codec_name: undefined }],
      'unsupported_source',
    ],
    ['whose picture has no size', [{ ...PICTURE, width: 0 }], 'unreadable_source'],
    [
      'whose picture is too large',
      [{ ...PICTURE, width: 65_535, height: 65_535 }],
      'picture_too_large',
    ],
  ])('A file %s is rejected', (_what, streams, code) => {
    expect(rejection(streams)).toBe(code);
  });

  test('A file whose clock runs in whole seconds, as ffmpeg reads a time scale of 0, is rejected', () => {
    const slow = { ...PICTURE, time_base: '1/1', avg_frame_rate: '1/512' };
    expect(rejection([slow, SOUND])).toBe('unsupported_source');
    expect(rejection([PICTURE, { ...SOUND, time_base: '1/1' }])).toBe('unsupported_source');
    const slides = { ...PICTURE, time_base: '1/1', avg_frame_rate: '1/10' };
    expect(parse([slides]).video?.index).toBe(0);
  });

  test.each([
    ['in Matroska', [{ ...PICTURE, tags: { enc_key_id: 'AAEC' } }], {}],
    ['by FairPlay', [{ ...PICTURE, codec_tag_string: 'drmi' }], {}],
    ['in ASF', [PICTURE], { tags: { ASF_Protection_Type: 'DRM' } }],
    [
      'with a pssh box',
      [{ ...PICTURE, side_data_list: [{ side_data_type: 'Encryption initialization data' }] }],
      {},
    ],
  ])('A file that is encrypted %s is rejected', (_what, streams, format) => {
    expect(rejection(streams, format)).toBe('encrypted_source');
  });

  test('A file with a single picture in a container of animations is rejected', () => {
    const gif = (nb_frames: string) =>
      rejection([{ ...PICTURE, nb_frames }], { format_name: 'gif' });
    expect(gif('1')).toBe('still_image');
    expect(gif('2')).not.toBe('still_image');
    const avif = (major_brand: string, nb_frames?: string) =>
      rejection([{ ...PICTURE, nb_frames }], { tags: { major_brand } });
    expect(avif('avif', '1')).toBe('still_image');
    expect(avif('heic')).toBe('still_image');
    expect(avif('avif', '30')).not.toBe('still_image');
    expect(avif('isom', '1')).not.toBe('still_image');
  });

  test('A file that declares a duration above the limit is rejected', () => {
    const alone = [{ ...PICTURE, duration: '4294967' }];
    expect(rejection(alone, { duration: undefined })).toBe('source_too_long');
    expect(rejection([PICTURE], { duration: '4294967' })).toBe('source_too_long');
  });

  test('A file without sound is rejected if only its sound is wanted', () => {
    expect(rejection([PICTURE], {}, 'left_out')).toBe('no_sound');
    expect(parse([SOUND, PICTURE], {}, 'left_out').video).toBeUndefined();
  });

  test('A file without a moving picture is rejected if a picture is required', () => {
    expect(rejection([SOUND, COVER], {}, 'required')).toBe('sound_refused');
    expect(parse([SOUND, PICTURE], {}, 'required').video).toBeDefined();
  });
});
