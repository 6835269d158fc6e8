import { readFileSync } from 'node:fs';

const GUIDE = readFileSync(new URL('../../docs/player.md', import.meta.url), 'utf8');

/**
 * The Content-Security-Policy that docs/player.md tells readers to copy, for a CDN at this origin. It also allows the
 * page's own pictures and captions, but nothing else.
 */
export function documentedPolicy(origin: string): string {
  const [, documented] = /^```\n(script-src .*)\n```$/m.exec(GUIDE) ?? [];
  if (!documented) throw new Error('docs/player.md contains no Content-Security-Policy.');
  const policy = documented.replaceAll('https://videos.example', origin);
  return `default-src 'none'; ${policy.replace(/(media-src|img-src)/g, "$1 'self'")}`;
}
