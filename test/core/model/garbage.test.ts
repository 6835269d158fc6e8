import { describe, expect, test } from 'vitest';
import { GRACE_DAYS, classifyVersions } from '../../../core/model/garbage.ts';
import type { GarbageFacts, UnreferencedNote, Version } from '../../../core/model/garbage.ts';

const NOW = new Date('2026-11-28T12:00:00Z');
const daysAgo = (days: number) => new Date(NOW.getTime() - days * 24 * 3_600_000);
const note = (version: string, days: number, isRemoving = false): UnreferencedNote => ({
  ...{ assetId: 'a', version, since: daysAgo(days), isRemoving, etag: 'e' },
});

/** How versions are judged, by their names; what holds for none is left out. */
function judge(facts: Partial<GarbageFacts>): Readonly<Record<string, readonly string[]>> {
  const judged = classifyVersions({ assets: [], busy: new Set(), notes: [], ...facts }, NOW);
  const lists = Object.entries<readonly Version[]>({ ...judged });
  return Object.fromEntries(
    lists
      .filter(([, list]) => list.length > 0)
      .map(([name, list]) => [name, list.map(({ version }) => version)]),
  );
}

const replaced = { assetId: 'a', versions: ['1', '2'], pointer: { version: '2' } };

describe('A version', () => {
  test('that the pointer does not name is found, and one that it names is not.', () => {
    expect(judge({ assets: [replaced] })).toEqual({ found: ['1'] });
  });

  test('of an asset without a pointer has no name.', () => {
    expect(judge({ assets: [{ assetId: 'a', versions: ['1'] }] })).toEqual({ found: ['1'] });
  });

  test.each([
    ['of no known version', { version: undefined }],
    ['to a version that is not there', { version: '3' }],
  ])('stays beside a pointer %s.', (_, pointer) => {
    expect(judge({ assets: [{ ...replaced, pointer }], notes: [note('1', 100)] })).toEqual({
      settled: ['1'],
    });
  });

  test.each([
    [GRACE_DAYS - 0.01, 'waiting'],
    [GRACE_DAYS, 'due'],
  ])('that was noted %s days ago is %s.', (days, judged) => {
    expect(judge({ assets: [replaced], notes: [note('1', days)] })).toEqual({ [judged]: ['1'] });
  });

  test.each([
    ['is named again', { assets: [{ ...replaced, pointer: { version: '1' } }] }, ['2']],
    ['is gone', { assets: [{ ...replaced, versions: ['2'] }] }, undefined],
    ['is of an asset that is worked on', { assets: [replaced], busy: new Set(['a']) }, undefined],
  ])('that %s begins its time anew.', (_, facts, found) => {
    const notes = [note('1', 100)];
    expect(judge({ ...facts, notes })).toEqual({ settled: ['1'], ...(found ? { found } : {}) });
  });

  test('whose note cannot be read is noted anew.', () => {
    const notes = [{ ...note('1', 100), since: undefined }];
    expect(judge({ assets: [replaced], notes })).toEqual({ settled: ['1'] });
  });

  test('that is being removed is left to its remover, until that was cut off.', () => {
    const facts = { assets: [replaced], busy: new Set(['a']) };
    expect(judge({ ...facts, notes: [note('1', 0.01, true)] })).toEqual({ waiting: ['1'] });
    expect(judge({ ...facts, notes: [note('1', 0.1, true)] })).toEqual({ due: ['1'] });
    const gone = [{ ...replaced, versions: ['2'] }];
    expect(judge({ assets: gone, notes: [note('1', 0.01, true)] })).toEqual({ waiting: ['1'] });
    expect(judge({ assets: gone, notes: [note('1', 0.1, true)] })).toEqual({ settled: ['1'] });
  });
});
