import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** Where pictures go, by name. */
export interface Album {
  /** Whether a picture of that name was asked for. */
  wants(name: string): boolean;
  add(name: string, page: Page): Promise<void>;
}

/** A folder of PNG files; of pictures whose names begin like one of `wanted`, or of all. */
export async function openAlbum(directory: string, wanted: readonly string[]): Promise<Album> {
  await mkdir(directory, { recursive: true });
  return {
    wants: (name) => wanted.length === 0 || wanted.some((one) => name.startsWith(one)),
    add: async (name, page) => {
      const path = join(directory, `${name}.png`);
      await page.screenshot({ path, animations: 'disabled' });
      process.stdout.write(`${path}\n`);
    },
  };
}
