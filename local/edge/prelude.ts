import { createHash, createHmac } from 'node:crypto';

/**
 * What a function finds in its context that V8 has not: `require('crypto')` as far as cloudfront-js-2.0
 * documents it, without Buffers, and a clock that stands still while it runs. It is a program in that
 * context, a function of `digest`, that returns how the clock is set.
 *
 * A function of ours that went in would be a way out, by its constructor, to code made from text and to
 * this process; so would an error that ours throws, as when the stack is full. So `digest` is seen by
 * this program alone, takes and returns only text, and whatever it throws is left behind.
 */
export const PRELUDE = `(function (digest) {
  'use strict';
  const RealDate = Date;
  const { construct } = Reflect;
  let now = 0;
  globalThis.Date = function Date(...given) {
    if (!new.target) return new RealDate(now).toString();
    return construct(RealDate, given.length > 0 ? given : [now], new.target);
  };
  Date.now = () => now;
  Date.parse = RealDate.parse;
  Date.UTC = RealDate.UTC;
  Date.prototype = RealDate.prototype;
  RealDate.prototype.constructor = Date;

  function hasher(algorithm, key) {
    if (!['md5', 'sha1', 'sha256'].includes(algorithm)) throw new TypeError('no such algorithm');
    let text = '';
    let ended = false;
    const goOn = () => {
      if (ended) throw new Error('the digest is made already');
    };
    return {
      update(more) {
        goOn();
        if (typeof more !== 'string') throw new TypeError('only text is taken here');
        text += more;
        return this;
      },
      digest(encoding) {
        goOn();
        if (!['hex', 'base64', 'base64url'].includes(encoding)) throw new TypeError('no such encoding');
        ended = true;
        let made;
        try {
          made = digest(algorithm, encoding, text, key);
        } catch {}
        if (typeof made !== 'string') throw new Error('the digest could not be made');
        return made;
      },
    };
  }
  const crypto = {
    createHash: (algorithm) => hasher(algorithm),
    createHmac: (algorithm, key) => {
      if (typeof key !== 'string') throw new TypeError('only text is a key here');
      return hasher(algorithm, key);
    },
  };
  globalThis.require = function require(name) {
    if (name !== 'crypto') throw new Error('there is no such module here');
    return crypto;
  };
  return (time) => {
    now = time;
  };
})`;

/** The host's part: `key` is there for an HMAC. */
export function digest(
  algorithm: string,
  encoding: 'hex' | 'base64' | 'base64url',
  text: string,
  key: string | undefined,
): string {
  const hash = key === undefined ? createHash(algorithm) : createHmac(algorithm, key);
  return hash.update(text).digest(encoding);
}
