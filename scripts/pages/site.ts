import { startEdge } from '../../edge/local/server.ts';
import type { Edge, EdgeOptions } from '../../edge/local/server.ts';
import type { Studio } from '../../studio/server/open-studio.ts';
import { answerPage } from './pages.ts';
import type { ListedAsset } from './pages.ts';

export interface SiteOptions extends Omit<EdgeOptions, 'pages'> {
  /** Every published asset, in the order of the list page. */
  readonly listAssets: () => Promise<readonly ListedAsset[]>;
  /** What answers below `/studio`, of a server with that origin. */
  readonly studio?: (origin: string) => Studio;
}

/** Starts the local edge, with the pages that list and play what is published, and with the studio. Throws as startEdge does. */
export function startSite({ listAssets, studio: open, ...edge }: SiteOptions): Promise<Edge> {
  return startEdge({
    ...edge,
    pages: (origin) => {
      const studio = open?.(origin);
      return (request) =>
        studio && /^\/studio(\/|\?|$)/.test(request.url ?? '')
          ? studio.answer(request)
          : answerPage(listAssets, request);
    },
  });
}
