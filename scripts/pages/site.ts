import { startEdge } from '../../edge/local/server.ts';
import type { Edge, EdgeOptions } from '../../edge/local/server.ts';
import type { Studio } from '../../studio/server/open-studio.ts';
import { answerPage } from './pages.ts';
import type { ListedAsset } from './pages.ts';

export interface SiteOptions extends Omit<EdgeOptions, 'pages'> {
  /** All published assets, in the order of the list page. */
  readonly listAssets: () => Promise<readonly ListedAsset[]>;
  /** Opens the studio, which answers below `/studio`, for a server with this origin. */
  readonly studio?: (origin: string) => Studio;
}

/** Starts the local edge with the list and watch pages, and with the studio if there is one. Throws like startEdge. */
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
