import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellQuote } from '../../../core/model/shell-quote.ts';

test('A quoted command leaves plain words as they are', () => {
  expect(shellQuote(['ffmpeg', '-i', 'file:/a/b.mp4', '-b:v', '1+2,3=4@%5'])).toBe(
    'ffmpeg -i file:/a/b.mp4 -b:v 1+2,3=4@%5',
  );
});

test('A shell reads a quoted command as the same tokens', () => {
  const tokens = [
    ...['', ' ', "it's", '"two words"', '$HOME `id` $(id)', 'a\\b', '#2 4', '*', '~', '!x'],
    ...['[0:v]split=2[a][b];[a]null', 'new\nline', '강의 1강', '&', '|', '>x', '{a,b}'],
  ];
  const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${shellQuote(tokens)}`]);
  expect(printed.toString('utf8').split('\0').slice(0, -1)).toEqual(tokens);
});
