import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Puts the temporary files of all tests into one folder, and removes it after the run. */
export default function openTemporary(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'vodstack-test-'));
  process.env['TMPDIR'] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
