import { expect, test } from 'vitest';
import { redact } from '../../../core/model/redact.ts';

test.each([
  ['https://b.s3.test/k.mp4?X-Amz-Signature=abc&x=1', 'https://b.s3.test/k.mp4?[redacted]'],
  ["-i 'http://h:9/a%20b?sig=1' -y", "-i 'http://h:9/a%20b?[redacted]' -y"],
  ['{"u":"https://h/k?s=1","v":2}', '{"u":"https://h/k?[redacted]","v":2}'],
  ['HTTPS://h/k?s=1', 'HTTPS://h/k?[redacted]'],
  [
    '[error] https://h/k?s=a:b: Input/output error',
    '[error] https://h/k?[redacted]: Input/output error',
  ],
  ['https://h/a?s=1 https://h/b?s=2', 'https://h/a?[redacted] https://h/b?[redacted]'],
  ['https://h/k.mp4', 'https://h/k.mp4'],
  ['file:/a?b=c', 'file:/a?b=c'],
  [
    'User: arn:aws:sts::123456789012:assumed-role/worker is not authorized',
    'User: arn:aws:sts::[redacted]:assumed-role/worker is not authorized',
  ],
  [
    'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs',
    'https://sqs.eu-west-1.amazonaws.com/[redacted]/jobs',
  ],
  ['arn:aws:s3:::123456789012', 'arn:aws:s3:::123456789012'],
])('The redacted form of %s is %s', (text, expected) => {
  expect(redact(text)).toBe(expected);
});
