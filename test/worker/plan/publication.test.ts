import { describe, expect, test } from 'vitest';
import { checkMediaPlaylist, checkStored } from '../../../worker/plan/gate/publication.ts';
import { mediaPlaylist } from '../../../worker/plan/playlist.ts';
import { examplePlan } from './example.ts';

const plan = examplePlan({ seconds: 14 });
const MD5 = '0123456789abcdef'.repeat(2);
const text = mediaPlaylist(
  plan,
  [6, 6, 2].map((durationSeconds) => ({ durationSeconds, bytes: 1000, md5: MD5 })),
);

describe('Checks of the publication', () => {
  test('A playlist that follows the plan passes the gate', () => {
    expect(checkMediaPlaylist(plan, '360p', text)).toEqual([]);
  });

  test.each([
    ['a wrong duration', '#EXTINF:6.000000,', '#EXTINF:5.000000,'],
    ['a missing segment', '00001.ts\n', ''],
    ['a segment twice', '00001.ts\n', '00000.ts\n'],
    ['a target that is too short', 'TARGETDURATION:6', 'TARGETDURATION:5'],
    ['no end', '#EXT-X-ENDLIST\n', ''],
    ['no type', '#EXT-X-PLAYLIST-TYPE:VOD\n', ''],
    ['no head', '#EXTM3U\n', ''],
  ])('The gate refuses a playlist with %s', (_what, from, to) => {
    expect(text).toContain(from);
    const names = checkMediaPlaylist(plan, '360p', text.replace(from, to)).map(({ name }) => name);
    expect(new Set(names)).toEqual(new Set(['playlist']));
  });

  test.each([
    ['is missing', new Map(), 'missing_object'],
    ['is cut off', new Map([['a.ts', { bytes: 9, md5: MD5 }]]), 'changed_object'],
    ['differs', new Map([['a.ts', { bytes: 10, md5: 'f'.repeat(32) }]]), 'changed_object'],
  ])('The gate refuses an asset with an object that %s', (_what, stored, name) => {
    expect(checkStored([{ path: 'a.ts', bytes: 10, md5: MD5 }], stored)).toMatchObject([{ name }]);
  });
});
