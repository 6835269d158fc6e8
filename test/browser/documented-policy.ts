import { readFileSync } from 'node:fs';

const GUIDE = readFileSync(new URL('../../docs/player.md', import.meta.url), 'utf8');

/**
 * The Content-Security-Policy of docs/player.md, as it stands there for a reader to copy, for a CDN of
 * that origin; pages may have pictures and captions of their own besides, and nothing else.
 */
export function documentedPolicy(origin: string): string {
  const [, copied] = /^```\n(script-src .*)\n```$/m.exec(GUIDE) ?? [];
  if (!copied) throw new Error('docs/player.md has no policy.');
  const ours = copied.replaceAll('https://videos.example', origin);
  return `default-src 'none'; ${ours.replace(/(media-src|img-src)/g, "$1 'self'")}`;
}
