/** A file of the page. */
export interface PageFile {
  readonly body: Uint8Array | string;
  readonly contentType: string;
}

/** The page's files, by their paths below `/studio/`. */
export async function buildPage(): Promise<ReadonlyMap<string, PageFile>> {
  return new Map([
    [
      'index.html',
      {
        body: '<meta name="studio-token" content="{{token}}">',
        contentType: 'text/html; charset=utf-8',
      },
    ],
  ]);
}
