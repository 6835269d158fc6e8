/**
 * Does a task for each item, so many at once; the results are in the order of the items. When one
 * fails no further ones are begun, and its error is thrown when those under way have ended.
 */
export async function inParallel<Item, Result>(
  items: Iterable<Item>,
  atOnce: number,
  task: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  // Shared by the lanes. A loop that is left by an error closes it for all of them.
  const numbered = (function* () {
    let index = 0;
    for (const item of items) yield [index++, item] as const;
  })();
  const lane = async () => {
    for (const [index, item] of numbered) results[index] = await task(item);
  };
  const lanes = await Promise.allSettled(Array.from({ length: atOnce }, lane));
  for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
  return results;
}
