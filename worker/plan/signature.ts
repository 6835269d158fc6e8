import { RejectedError } from '../../core/model/errors.ts';

/** How many of a file's first bytes are examined. The signature of a disc image is at byte 32,769. */
export const HEAD_BYTES = 256 * 1024;

/**
 * Detects by its first bytes a file that ffprobe may open but that cannot become an asset: an encrypted file, or a still
 * image in a container of animations. Undefined for any other file.
 */
export function refusalByHead(head: Uint8Array): RejectedError | undefined {
  const text = asText(head);
  if (ENCRYPTED_SAMPLES.test(text) || isScrambledTransport(head) || isScrambledProgram(text)) {
    return encrypted();
  }
  // An animated PNG declares its number of frames before its picture.
  const frames = /^\x89PNG[^]{0,8192}?acTL([^]{4})/.exec(text)?.[1];
  return frames === '\0\0\0\x01' ? stillImage('PNG') : undefined;
}

/** Identifies a file that ffprobe does not open by its first bytes; undefined if they match no known format. */
export function identifyByHead(head: Uint8Array): RejectedError | undefined {
  const text = asText(head);
  const flags = EXTENDED_WEBP.exec(text)?.[1]?.charCodeAt(0) ?? 0;
  if (flags & ANIMATION_FLAG) return notTaken('Animations in WebP', 'GIF or MP4');
  const container = CONTAINERS.find(([pattern]) => pattern.test(text));
  if (container) return notTaken(container[1]);
  const image = STILL_IMAGES.find(([pattern]) => pattern.test(text));
  return image && stillImage(image[1]);
}

export function encrypted(): RejectedError {
  return new RejectedError('encrypted_source');
}

export function stillImage(format: string): RejectedError {
  return new RejectedError(
    'still_image',
    `The file is a still image (${format}), not a video. Upload a video, an animation or a sound recording.`,
  );
}

function notTaken(what: string, target = 'MP4'): RejectedError {
  return new RejectedError(
    'unsupported_container',
    `${what} are not taken. Convert the file to ${target}.`,
  );
}

/** `[^]` matches any character, including line ends. */
const EXTENDED_WEBP = /^RIFF[^]{4}WEBPVP8X[^]{4}([^])/;
const ANIMATION_FLAG = 0x02;

const STILL_IMAGES: readonly (readonly [RegExp, string])[] = [
  [/^\x89PNG\r\n/, 'PNG'],
  [/^\xff\xd8\xff/, 'JPEG'],
  [/^RIFF[^]{4}WEBP/, 'WebP'],
  [/^[^]{4}ftypavif/, 'AVIF'],
  [/^[^]{4}ftyp(hei[cxms]|mif1|msf1|hev[cx])/, 'HEIF'],
  [/^(\xff\x0a|\0\0\0\x0cJXL )/, 'JPEG XL'],
  [/^(\0\0\0\x0cjP {2}|\xff\x4f\xff\x51)/, 'JPEG 2000'],
  [/^(II\*\0|MM\0\*|IIRO|IIU\0|FUJIFILMCCD-RAW)/, 'TIFF or camera raw'],
  [/^BM[^]{4}\0\0\0\0/, 'BMP'],
  [/^8BPS/, 'Photoshop'],
  [/^v\/1\x01/, 'OpenEXR'],
  [/^\0\0\x01\0[^]\0/, 'icon'],
  [
    /^(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--[^]{0,2000}?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg/,
    'SVG',
  ],
];

const CONTAINERS: readonly (readonly [RegExp, string])[] = [
  [/^\xff\xd8[^]{0,64}MXF\0/, 'Recordings in MxPEG'],
  [/^NSV[fs]/, 'Recordings in NSV'],
  [/^[^]{4}RED[12]/, 'Recordings in REDCODE (R3D)'],
  [/^(ARRI|ARI\0)/, 'Recordings in ARRIRAW'],
  [/^(\.R1M|\.REC)/, 'Recordings of RealPlayer (IVR)'],
  [/^IMK[HI]/, 'Recordings of Hikvision cameras'],
  [/^\xf5\x46\x7a\xbd/, 'Recordings of TiVo'],
  [/^AV[\x01\x02][^]U/, 'Recordings in PVA'],
  [/^(BIK[a-z]|KB2[a-z]|SMK[24])/, 'Videos in Bink or Smacker'],
  [/^[FCZ]WS[\x01-\x40]/, 'Flash animations (SWF)'],
  [/^[^]{4}(\x11|\x12|\x44)\xaf/, 'Animations in FLIC'],
  [/^\x8aMNG/, 'Animations in MNG'],
  [/^CRID/, 'Videos in CRI USM'],
  [/^THP\0/, 'Videos in THP'],
  [/^MThd/, 'Notes in MIDI'],
  [/^(MPCK|MP\+)/, 'Sounds in Musepack'],
  [/^(TTA[12])/, 'Sounds in True Audio'],
  [/^tBaK/, 'Sounds in TAK'],
  [/^(DSD |FRM8)/, 'Sounds in DSD'],
  [/^Creative Voice File/, 'Sounds in VOC'],
  [/^DVDVIDEO-V(TS|MG)/, 'Indexes of DVDs (IFO)'],
  [/^[^]{32769}CD001/, 'Images of discs (ISO)'],
];

/**
 * Sample descriptions of encrypted MP4 files: Common Encryption (ISO/IEC 23001-7) and FairPlay. ffprobe reports them
 * only if the file also declares how each sample is encrypted.
 */
const ENCRYPTED_SAMPLES = /stsd[^]{12}(enc[avtms]|drm[sit]|p608)/;

/** Damage alone does not make a larger share of packets look scrambled. */
const SCRAMBLED_SHARE = 0.2;

/** Checks `transport_scrambling_control` (ISO/IEC 13818-1, 2.4.3.3) in packets of 188 bytes, or of 192 with a clock. */
function isScrambledTransport(head: Uint8Array): boolean {
  return [
    { first: 0, step: 188 },
    { first: 4, step: 192 },
  ].some(({ first, step }) => {
    const count = Math.floor((head.length - first) / step);
    const packets = Array.from({ length: count }, (_, at) => first + at * step);
    if (count < 10 || !packets.every((at) => head[at] === 0x47)) return false;
    const scrambled = packets.filter((at) => ((head[at + 3] ?? 0) & 0xc0) !== 0);
    return scrambled.length > count * SCRAMBLED_SHARE;
  });
}

/** Checks `PES_scrambling_control` (ISO/IEC 13818-1, 2.4.3.7) of a program stream, as on a DVD with CSS. */
function isScrambledProgram(text: string): boolean {
  if (!text.startsWith('\0\0\x01\xba')) return false;
  const flags = [...text.matchAll(/\0\0\x01[\xbd\xc0-\xef][^]{2}([\x80-\xbf])/g)].map(
    ([, byte = '']) => byte.charCodeAt(0) & 0x30,
  );
  return flags.filter((flag) => flag !== 0).length > flags.length * SCRAMBLED_SHARE;
}

/** Latin-1 has one character per byte. */
function asText(head: Uint8Array): string {
  return Buffer.from(head).toString('latin1');
}
