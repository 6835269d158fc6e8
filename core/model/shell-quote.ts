/** Quotes a command as one line to paste into a shell. */
export function shellQuote(argv: readonly string[]): string {
  return argv
    .map((token) =>
      /^[\w@%+=:,./-]+$/.test(token) ? token : `'${token.replaceAll("'", `'\\''`)}'`,
    )
    .join(' ');
}
