/**
 * What a terminal obeys or turns around instead of showing it: control characters (C0, DEL, C1), line and
 * paragraph separators, the marks of bidirectional text, and halves of surrogate pairs.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * A text as a terminal can be given it: what it would obey stands as `\u001b`. Line feeds stay. A text in JSON
 * keeps its meaning, as JSON has these characters in strings only, and writes them in the same way.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The same in one line, with a space for each run of line breaks and tabs. */
export function oneLine(text: string): string {
  return printable(text.replaceAll(/[\t-\r\u0085\u2028\u2029]+/g, ' ').trim());
}
