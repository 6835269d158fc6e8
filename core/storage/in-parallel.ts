/**
 * Runs a task for each item, at most `concurrency` of them at a time. The results are in the order of the items. When a
 * task fails, no further task begins, and the error is thrown once the running tasks have ended.
 */
export async function inParallel<Item, Result>(
  items: Iterable<Item>,
  concurrency: number,
  task: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  // All lanes share this iterator. A loop that an error ends closes it for all of them.
  const numbered = (function* () {
    let index = 0;
    for (const item of items) yield [index++, item] as const;
  })();
  const lane = async () => {
    for (const [index, item] of numbered) results[index] = await task(item);
  };
  const lanes = await Promise.allSettled(Array.from({ length: concurrency }, lane));
  for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
  return results;
}
