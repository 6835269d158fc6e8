import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** A folder of screenshots. */
export interface Album {
  /** Whether the screenshot with this name was requested. */
  wants(name: string): boolean;
  add(name: string, page: Page): Promise<void>;
}

/** Writes PNG files. Takes the screenshots whose names start with one of `wanted`, or all if it is empty. */
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
