import { describe, expect, test } from 'vitest';
import { GRACE_DAYS, classifyVersions } from '../../../core/model/garbage.ts';
import type { GarbageFacts, UnreferencedNote, Version } from '../../../core/model/garbage.ts';

const NOW = new Date('2026-11-28T12:00:00Z');
const daysAgo = (days: number) => new Date(NOW.getTime() - days * 24 * 3_600_000);
const note = (version: string, days: number, isRemoving = false): UnreferencedNote => ({
  ...{ assetId: 'a', version, since: daysAgo(days), isRemoving, etag: 'e' },
});

/** Returns the non-empty groups of versions, by their names. */
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

describe('Versions', () => {
  test('A version that the pointer does not reference is found, and the referenced one is not', () => {
    expect(judge({ assets: [replaced] })).toEqual({ found: ['1'] });
  });

  test('All versions of an asset without a pointer are unreferenced', () => {
    expect(judge({ assets: [{ assetId: 'a', versions: ['1'] }] })).toEqual({ found: ['1'] });
  });

  test.each([
    ['to an unknown version', { version: undefined }],
    ['to a missing version', { version: '3' }],
  ])('A version stays beside a pointer %s', (_, pointer) => {
    expect(judge({ assets: [{ ...replaced, pointer }], notes: [note('1', 100)] })).toEqual({
      settled: ['1'],
    });
  });

  test.each([
    [GRACE_DAYS - 0.01, 'waiting'],
    [GRACE_DAYS, 'due'],
  ])('A version that was noted %s days ago is %s', (days, judged) => {
    expect(judge({ assets: [replaced], notes: [note('1', days)] })).toEqual({ [judged]: ['1'] });
  });

  test.each([
    ['is referenced again', { assets: [{ ...replaced, pointer: { version: '1' } }] }, ['2']],
    ['is gone', { assets: [{ ...replaced, versions: ['2'] }] }, undefined],
    ['belongs to an asset with open work', { assets: [replaced], busy: new Set(['a']) }, undefined],
  ])('The note of a version that %s is obsolete', (_, facts, found) => {
    const notes = [note('1', 100)];
    expect(judge({ ...facts, notes })).toEqual({ settled: ['1'], ...(found ? { found } : {}) });
  });

  test('An unreadable note is obsolete', () => {
    const notes = [{ ...note('1', 100), since: undefined }];
    expect(judge({ assets: [replaced], notes })).toEqual({ settled: ['1'] });
  });

  test('A version that is being removed is left to its remover for an hour', () => {
    const facts = { assets: [replaced], busy: new Set(['a']) };
    expect(judge({ ...facts, notes: [note('1', 0.01, true)] })).toEqual({ waiting: ['1'] });
    expect(judge({ ...facts, notes: [note('1', 0.1, true)] })).toEqual({ due: ['1'] });
    const gone = [{ ...replaced, versions: ['2'] }];
    expect(judge({ assets: gone, notes: [note('1', 0.01, true)] })).toEqual({ waiting: ['1'] });
    expect(judge({ assets: gone, notes: [note('1', 0.1, true)] })).toEqual({ settled: ['1'] });
  });
});
