import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whatever tests write for a while lies in a folder of this run, and goes with it. */
export default function openTemporary(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'vodstack-test-'));
  process.env['TMPDIR'] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
