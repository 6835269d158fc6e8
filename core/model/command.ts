/** The command as a line that can be pasted into a shell. */
export function shellQuote(argv: readonly string[]): string {
  return argv
    .map((token) =>
      /^[\w@%+=:,./-]+$/.test(token) ? token : `'${token.replaceAll("'", `'\\''`)}'`,
    )
    .join(' ');
}

/**
 * Hides the query of every address in a text, as a signed one is a key to the source, and the account's
 * number where AWS tells it. A colon at the end of a query is not the query's: ffmpeg says what is wrong
 * behind it.
 */
export function redact(text: string): string {
  return text
    .replaceAll(/(https?:\/\/[^\s?'"\\]+)\?(?:[^\s'"\\]*[^\s'"\\:])?/gi, '$1?[redacted]')
    .replaceAll(/(\barn:[\w-]+:[\w-]+:[\w-]*:|\/\/sqs\.[\w.-]+\/)\d{12}(?=[:/])/g, '$1[redacted]');
}
