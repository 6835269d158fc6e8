import { describe, expect, test } from 'vitest';
import { oneLine, printable } from '../../../core/model/printable.ts';

describe('Printable text', () => {
  test.each([
    ['a window title (OSC)', 'a\x1b]0;owned\x07.mp4', 'a\\u001b]0;owned\\u0007.mp4'],
    ['a link (OSC 8)', '\x1b]8;;http://x\x1b\\y', '\\u001b]8;;http://x\\u001b\\y'],
    ['a cleared screen (CSI)', '\x1b[2J\x1b[H', '\\u001b[2J\\u001b[H'],
    ['a device string (DCS)', '\x1bP+q544e\x1b\\', '\\u001bP+q544e\\u001b\\'],
    ['C1 control characters', '\x9b2J\x9d0;x\x9c\x90', '\\u009b2J\\u009d0;x\\u009c\\u0090'],
    [
      'a cursor that moves back',
      'good\b\b\b\bevil\rx',
      'good\\u0008\\u0008\\u0008\\u0008evil\\u000dx',
    ],
    ['a bell, a null, a tab and DEL', '\x07\0\t\x7f', '\\u0007\\u0000\\u0009\\u007f'],
    ['another character set', 'a\x0eb\x0fc', 'a\\u000eb\\u000fc'],
    ['direction overrides', 'a\u202egpj.mp4\u202c', 'a\\u202egpj.mp4\\u202c'],
    [
      'embeddings and isolates',
      '\u202a\u202b\u2066\u2067\u2068\u2069',
      '\\u202a\\u202b\\u2066\\u2067\\u2068\\u2069',
    ],
    ['direction marks', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
    ['line separators', 'a\u0085b\u2028c\u2029d', 'a\\u0085b\\u2028c\\u2029d'],
    ['lone surrogates', 'a\udcffb\ud83d', 'a\\udcffb\\ud83d'],
  ])('Printable text escapes %s', (_what, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  test.each([
    '#2 4 Protection with PropTypes.mp4',
    '강의 1강 – 소개.mp4',
    'שלום עולם.mp4',
    'Zoë – «100 %»?.mov',
    '🎬 👩‍💻 🏴󠁧󠁢󠁥󠁮󠁧󠁿',
    'two\nlines\n',
    'C:\\new\\u001b',
  ])('Printable text leaves %j unchanged', (text) => {
    expect(printable(text)).toBe(text);
  });

  test('Printable JSON keeps its meaning', () => {
    const value = { 'k\u202e': 'a\x1b[2J\u009b\u2028\udcff\n\\u0041"' };
    const line = printable(JSON.stringify(value));
    expect(line).toBe('{"k\\u202e":"a\\u001b[2J\\u009b\\u2028\\udcff\\n\\\\u0041\\""}');
    expect(JSON.parse(line)).toEqual(value);
  });
});

test('A text becomes one line', () => {
  expect(oneLine(' a\r\nb\t\tc\u2028d\x1b ')).toBe('a b c d\\u001b');
});
