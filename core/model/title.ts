const MAX_LENGTH = 200;

/** What a person reads: the file's name without folders and extension, or what the uploader called it. */
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
 * A title as the uploaded object keeps it. Metadata is ASCII, and of 2 KB at most:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
export function titleMetadata(title: string): { readonly title: string } {
  return { title: encodeURIComponent(cleanTitle(title)) };
}

/** The title in an object's metadata, encoded as above or plain ASCII, as whoever uploads by hand writes it. */
export function storedTitle({ title }: Readonly<Record<string, string>>): string | undefined {
  try {
    return title && decodeURIComponent(title);
  } catch {
    return title;
  }
}

/** One line without control characters and without the marks that turn the direction of the text around. */
export function cleanTitle(text: string): string {
  const line = text
    // Half of a surrogate pair cannot be encoded as metadata.
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    // What was not UTF-8 in the file's name, or no text.
    .replaceAll('\ufffd', '_')
    .trim();
  // A cut does not leave half of a surrogate pair.
  return line
    .slice(0, MAX_LENGTH)
    .replace(/[\ud800-\udbff]$/, '')
    .trim();
}
