const MAX_LENGTH = 200;

/** The title of an asset: the wanted one, or the file's name without folders and extension. */
export function titleOf(key: string, wanted?: string): string {
  const name = key.slice(key.lastIndexOf('/') + 1);
  return (
    cleanTitle(wanted ?? '') ||
    cleanTitle(name.replace(/\.[A-Za-z0-9]{1,5}$/, '')) ||
    cleanTitle(name) ||
    'Untitled'
  );
}

/**
 * Encodes a title as metadata of the uploaded object. Metadata is ASCII and has at most 2 KB:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
export function titleMetadata(title: string): { readonly title: string } {
  return { title: encodeURIComponent(cleanTitle(title)) };
}

/** Decodes the title in an object's metadata. A title that was set by hand may be plain ASCII. */
export function storedTitle({ title }: Readonly<Record<string, string>>): string | undefined {
  try {
    return title && decodeURIComponent(title);
  } catch {
    return title;
  }
}

/** Makes a title one line without control characters and without controls of the text's direction. */
export function cleanTitle(text: string): string {
  const line = text
    // A lone surrogate cannot be encoded as metadata.
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    // Stands for bytes of the file's name that are not UTF-8, or for a lone surrogate.
    .replaceAll('\ufffd', '_')
    .trim();
  // The cut may have split a surrogate pair.
  return line
    .slice(0, MAX_LENGTH)
    .replace(/[\ud800-\udbff]$/, '')
    .trim();
}
