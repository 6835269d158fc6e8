import { fileURLToPath } from 'node:url';
import { openLocalHome } from './local/home.ts';
import { LOCAL_LAYOUT } from './local/layout.ts';
import type { Home } from './ports.ts';

/** Opens the home that an address names: `file:/folder` is one machine, `aws:` is S3 and SQS. */
export async function openHome(address: string): Promise<Home> {
  if (address === 'aws:') {
    // Loaded when it is needed: the SDK takes a quarter of a second and 30 MB.
    const { openAwsHome } = await import('./aws/home.ts');
    return openAwsHome();
  }
  return openLocalHome({ directory: fileURLToPath(address), layout: LOCAL_LAYOUT });
}
