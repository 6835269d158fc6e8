/**
 * Characters that a terminal does not show but executes: control characters (C0, DEL, C1), line and paragraph
 * separators and the controls of bidirectional text. Lone surrogates are no characters at all.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * Makes a text safe for a terminal: escapes control characters like `\u001b`, but keeps line feeds. JSON keeps its
 * meaning, as these characters occur only in its strings, where the escape means the same.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The same, in one line: each run of line breaks and tabs becomes a space. */
export function oneLine(text: string): string {
  return printable(text.replaceAll(/[\t-\r\u0085\u2028\u2029]+/g, ' ').trim());
}
