/**
 * What a function finds in its context that V8 has not, as far as cloudfront-js-2.0 documents it, and a
 * clock that stands still while it runs. edge-function.ts bundles this file and runs it in the context, so
 * that everything in it is of that realm.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
 */
import { Buffer } from 'buffer/index.js';
import { parse, stringify } from 'fast-querystring';
import { GLOBALS, MEMBERS } from './documented.ts';

/** The host's part: bytes and keys come and go as base64. The key is there for an HMAC. */
export type Digest = (algorithm: string, bytes: string, key: string | undefined) => string;

/**
 * Makes the context that of a function, with what is documented and nothing else, and returns how its clock
 * is set, in milliseconds.
 *
 * A function of the host that went in would be a way out, by its constructor, to code made from text and to
 * the process; so would an error that the host throws, as when the stack is full. So `digest` is seen
 * here alone, takes and returns only text, and whatever it throws is left behind.
 */
export function install(digest: Digest): (time: number) => void {
  const crypto = {
    createHash: (algorithm: string) => hasher(digest, algorithm),
    createHmac: (algorithm: string, key: unknown) => hasher(digest, algorithm, bytesOf(key)),
  };
  const querystring = {
    ...{ parse: plain(parse), decode: plain(parse) },
    ...{ stringify: plain(stringify), encode: plain(stringify) },
    ...{ escape: encodeURIComponent, unescape: decodeURIComponent },
  };
  const modules = new Map<string, object>(
    Object.entries({ buffer: { Buffer }, crypto, querystring }),
  );
  Object.assign(globalThis, {
    require: (name: string) => {
      const found = modules.get(name);
      if (!found) throw new Error('there is no such module here');
      return found;
    },
    Buffer,
    atob: (text: string) => {
      if (!BASE64.test(text)) throw new TypeError('that is no base64');
      return Buffer.from(text, 'base64').toString('latin1');
    },
    btoa: (text: string) => {
      if (NOT_BYTES.test(text)) throw new TypeError('only bytes are taken here');
      return Buffer.from(text, 'latin1').toString('base64');
    },
    ...{ TextEncoder, TextDecoder, InternalError },
    console: { log: () => undefined },
  });
  const setClock = stopClock();
  forgetUndocumented();
  return setClock;
}

// A function has no Reflect; it is taken away when this has run.
const { apply, construct, deleteProperty, get, ownKeys } = Reflect;

const KEPT = ['constructor', 'length', 'name', 'prototype', '__proto__'];

function forgetUndocumented(): void {
  for (const [path, members] of Object.entries(MEMBERS)) {
    const owner = path
      .split('.')
      .reduce<object>((one, name) => get(one, name) as object, globalThis);
    keepOnly(owner, [...members, ...KEPT]);
  }
  keepOnly(globalThis, GLOBALS);
}

function keepOnly(owner: object, names: readonly string[]): void {
  for (const key of ownKeys(owner)) {
    if (typeof key === 'string' && !names.includes(key)) deleteProperty(owner, key);
  }
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const NOT_BYTES = /[^\0-\xff]/;

class TextEncoder {
  encode(text = ''): Uint8Array {
    return new Uint8Array(Buffer.from(text, 'utf8'));
  }

  encodeInto(
    text: string,
    target: Uint8Array,
  ): { readonly read: number; readonly written: number } {
    let read = 0;
    let written = 0;
    for (const letter of text) {
      const bytes = Buffer.from(letter, 'utf8');
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      written += bytes.length;
      read += letter.length;
    }
    return { read, written };
  }
}

class TextDecoder {
  readonly encoding = 'utf-8';
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;

  constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
    if (!/^utf-?8$/i.test(label)) throw new RangeError('no such encoding');
    this.fatal = fatal;
    this.ignoreBOM = ignoreBOM;
  }

  decode(bytes = new Uint8Array()): string {
    const text = Buffer.from(bytes).toString('utf8');
    if (this.fatal && !Buffer.from(text, 'utf8').equals(Buffer.from(bytes))) {
      throw new TypeError('that is no text');
    }
    return this.ignoreBOM ? text : text.replace(/^\ufeff/, '');
  }
}

class InternalError extends Error {}

/** The package knows of no other separators: better none than wrong ones. */
function plain<Given, Made>(of: (given: Given) => Made): (given: Given) => Made {
  return (given, ...more: readonly unknown[]) => {
    if (more.length > 0) throw new TypeError('only & and = separate here');
    return of(given);
  };
}

const ALGORITHMS = ['md5', 'sha1', 'sha256'];
const ENCODINGS = ['hex', 'base64', 'base64url'];

function hasher(digest: Digest, algorithm: string, key?: Buffer) {
  if (!ALGORITHMS.includes(algorithm)) throw new TypeError('no such algorithm');
  const given: Buffer[] = [];
  let ended = false;
  const goOn = () => {
    if (ended) throw new Error('the digest is made already');
  };
  return {
    update(more: unknown) {
      goOn();
      given.push(bytesOf(more));
      return this;
    },
    digest(encoding?: string) {
      goOn();
      if (encoding !== undefined && !ENCODINGS.includes(encoding)) {
        throw new TypeError('no such encoding');
      }
      ended = true;
      let made: unknown;
      try {
        made = digest(algorithm, Buffer.concat(given).toString('base64'), key?.toString('base64'));
      } catch {
        // It is an error of the host.
      }
      if (typeof made !== 'string') throw new Error('the digest could not be made');
      const bytes = Buffer.from(made, 'base64');
      return encoding === undefined ? bytes : bytes.toString(encoding);
    },
  };
}

function bytesOf(data: unknown): Buffer {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  if (data instanceof Uint8Array) return Buffer.from(data);
  throw new TypeError('only text and bytes are taken here');
}

// The package is of before base64url.
const from: CallableFunction = Buffer.from.bind(Buffer);
// eslint-disable-next-line @typescript-eslint/unbound-method -- It is called with its own `this`.
const { toString } = Buffer.prototype;
Object.assign(Buffer, {
  from: (value: unknown, encoding: unknown, ...more: readonly unknown[]): unknown =>
    apply(from, undefined, [value, encoding === 'base64url' ? 'base64' : encoding, ...more]),
});
Buffer.prototype.toString = function (this: Buffer, encoding, start, end) {
  if (encoding !== 'base64url') return toString.call(this, encoding, start, end);
  const text = toString.call(this, 'base64', start, end);
  return text.replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
};

function stopClock(): (time: number) => void {
  let now = 0;
  const RealDate = Date;
  RealDate.now = () => now;
  globalThis.Date = new Proxy(RealDate, {
    construct: (real, given, made) =>
      construct(real, given.length > 0 ? given : [now], made) as Date,
    apply: () => new RealDate(now).toString(),
  });
  RealDate.prototype.constructor = Date;
  return (time) => {
    now = time;
  };
}
