import { describe, expect, test } from 'vitest';
import { identifyByHead, refusalByHead } from '../../../worker/plan/signature.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('Files that ffprobe does not open', () => {
  const named = (head: string) => {
    const error = identifyByHead(bytes(head));
    return error && `${error.code}: ${error.message}`;
  };

  test.each([
    ['\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'PNG'],
    ['\xff\xd8\xff\xe0\0\x10JFIF', 'JPEG'],
    ['RIFF\x10\0\0\0WEBPVP8 ', 'WebP'],
    ['RIFF\x10\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0', 'WebP'],
    ['\0\0\0\x1cftypheic\0\0\0\0', 'HEIF'],
    ['\0\0\0\x1cftypavif\0\0\0\0', 'AVIF'],
    ['\0\0\0\x0cJXL \r\n\x87\n', 'JPEG XL'],
    ['II*\0\x08\0\0\0', 'TIFF or camera raw'],
    ['BM\x36\x10\x0e\0\0\0\0\0\x36\0', 'BMP'],
    ['<?xml version="1.0"?>\n<!-- by hand -->\n<svg xmlns=', 'SVG'],
  ])('A file that begins with %j is a still image', (head, format) => {
    expect(named(head)).toBe(
      `still_image: The file is a still image (${format}), not a video. Upload a video, an animation or a sound recording.`,
    );
  });

  test.each([
    ['RIFF\x10\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0', 'Animations in WebP', 'GIF or MP4'],
    ['CWS\x0a\x10\0\0\0', 'Flash animations (SWF)', 'MP4'],
    ['\xff\xd8\xff\xfe\0\x10MXF\0', 'Recordings in MxPEG', 'MP4'],
    ['IMKH\x01\x01\0\0', 'Recordings of Hikvision cameras', 'MP4'],
    ['\0\0\x01\x28RED2', 'Recordings in REDCODE (R3D)', 'MP4'],
    [`${'\0'.repeat(32_769)}CD001`, 'Images of discs (ISO)', 'MP4'],
  ])('A file that begins with %j is in an unsupported container', (head, what, target) => {
    expect(named(head)).toBe(
      `unsupported_container: ${what} are not taken. Convert the file to ${target}.`,
    );
  });

  test.each([
    '',
    'These are notes.',
    '%PDF-1.7',
    'PK\x03\x04',
    '\x7fELF',
    '#EXTM3U\n',
    '\0\0\0\x1cftypisom',
  ])('A file that begins with %j is not recognised', (head) => {
    expect(named(head)).toBeUndefined();
  });
});

describe('Files that ffprobe may open', () => {
  const code = (head: Uint8Array | string) =>
    refusalByHead(typeof head === 'string' ? bytes(head) : head)?.code;

  test.each(['encv', 'enca', 'drms', 'drmi', 'p608'])(
    'An MP4 file with samples of the type %s is encrypted',
    (type) => {
      const table = (name: string) => `moov....stsd\0\0\0\0\0\0\0\x01\0\0\0\x80${name}\0\0`;
      expect(code(table(type))).toBe('encrypted_source');
      expect(code(table('avc1'))).toBeUndefined();
      expect(code(`mdat ${type}`)).toBeUndefined();
    },
  );

  test.each([
    [188, 0],
    [192, 4],
  ])(
    'A transport stream of %i-byte packets is encrypted if its packets are scrambled',
    (step, first) => {
      const stream = (scrambled: number) => {
        const head = Buffer.alloc(step * 20);
        for (let at = 0; at < 20; at += 1) {
          head[at * step + first] = 0x47;
          head[at * step + first + 3] = at < scrambled ? 0x90 : 0x10;
        }
        return head;
      };
      expect(code(stream(18))).toBe('encrypted_source');
      expect(code(stream(1))).toBeUndefined();
    },
  );

  test("A DVD's program stream is encrypted if its packets are scrambled", () => {
    const packets = (flags: string) =>
      `\0\0\x01\xba\x44${`\0\0\x01\xe0\x07\xec${flags}`.repeat(9)}`;
    expect(code(packets('\xb0'))).toBe('encrypted_source');
    expect(code(packets('\x81'))).toBeUndefined();
  });

  test('An animated PNG with a single frame is a still image', () => {
    const png = (frames: string) =>
      `\x89PNG\r\n\x1a\n\0\0\0\rIHDR${'.'.repeat(17)}\0\0\0\x08acTL${frames}`;
    expect(code(png('\0\0\0\x01'))).toBe('still_image');
    expect(code(png('\0\0\0\x02'))).toBeUndefined();
  });
});
