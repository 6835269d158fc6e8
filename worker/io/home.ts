import { fileURLToPath } from 'node:url';
import { openLocalHome } from './local/home.ts';
import { LOCAL_LAYOUT } from './local/layout.ts';
import type { Home } from './ports.ts';

/** Opens the home that an address names: `file:/folder` is one machine. */
export async function openHome(address: string): Promise<Home> {
  return openLocalHome({ directory: fileURLToPath(address), layout: LOCAL_LAYOUT });
}
