import { fileURLToPath } from 'node:url';
import { openLocalBackend } from './local/backend.ts';
import { LOCAL_LAYOUT } from './local/layout.ts';
import type { Backend } from './ports.ts';

/**
 * Opens a backend by its address, the value of VODSTACK_HOME: `file:/folder` for one machine, `aws:` for S3 and SQS.
 */
export async function openBackend(address: string): Promise<Backend> {
  if (address === 'aws:') {
    // Imported on demand: the SDK takes a quarter of a second and 30 MB.
    const { openAwsBackend } = await import('./aws/backend.ts');
    return openAwsBackend();
  }
  return openLocalBackend({ directory: fileURLToPath(address), layout: LOCAL_LAYOUT });
}
