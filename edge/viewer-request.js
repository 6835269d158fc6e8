// The edge's rule: who may fetch what is published. A CloudFront Function (runtime cloudfront-js-2.0),
// run before the cache on every request; the local edge runs this very file. It is written in the
// part of JavaScript that the runtime knows, which has no destructuring, no spread and no for-of.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html

var crypto = require('crypto');

var CONFIG = __CONFIG__;

// The one form of an address. The cache keeps objects by their addresses as written, so a second form of
// one, with an escape, would still be served after the object was deleted and its own address forgotten.
var PLAIN = /^\/[\w-]+(?:[.\/][\w-]+)*(?![\s\S])/;
// /t/<expiry>.<signature>, /v/<asset>/, and a file of it, whose name needs no escaping. Each ends in
// `nothing follows`: to some engines $ is also the place before a last line break.
var WITH_TOKEN =
  /^\/t\/([0-9]{1,11})\.([\w-]{43})(\/v\/[0-9a-z]+\/)([\w-]+(?:[.\/][\w-]+)*)(?![\s\S])/;
var POSTER = /^\/v\/[0-9a-z]+\/[0-9a-z]+\/images\/(poster|thumbnail-[0-9]+)\.jpg(?![\s\S])/;
var PLAYER = /^\/player\/[\w-]+(\.[\w-]+)*(?![\s\S])/;
var SUBDOMAINS = /^([\w-]+\.)*[\w-]+(?![\s\S])/;

var FOREIGN = 'This site may not show the videos kept here.';

function handler(event) {
  var request = event.request;
  var method = request.method;
  var site = isOfAllowedSite(request.headers);
  if (method === 'OPTIONS') {
    return isAllowed(single(request.headers.origin))
      ? preflight(request)
      : denied(request, FOREIGN);
  }
  if (method !== 'GET' && method !== 'HEAD') return wrongMethod(request);

  var token = CONFIG.tokenKeys.length > 0 ? WITH_TOKEN.exec(request.uri) : null;
  var guarded = CONFIG.tokenKeys.length > 0 && !PLAYER.test(request.uri);
  // Without its token it is the same object to the cache, whoever asks for it.
  if (token) request.uri = token[3] + token[4];

  // Link previews are fetched by machines that say nothing of where the link stands, and have no token.
  if (CONFIG.openPosters && POSTER.test(request.uri)) return request;
  if (site === false) return denied(request, FOREIGN);
  if (guarded) {
    // A token speaks for who says nothing, as apps do. It does not for a page of another site, nor for
    // an address that somebody typed into a browser, which says so.
    return refusalOf(request, token) || request;
  }
  if (!site && !CONFIG.allowNoContext) return denied(request, FOREIGN);
  return PLAIN.test(request.uri) ? request : notFound(request);
}

// A browser says where a request comes from in one of three ways, asked in this order: Origin, on
// every CORS request and whatever the page's referrer policy; Referer; and how near the page is.
// An element without CORS on a page with the policy no-referrer sends the last only. Undefined where
// nothing is said.
function isOfAllowedSite(headers) {
  if (headers.origin) return isAllowed(single(headers.origin));
  if (headers.referer && headers.referer.value !== '') {
    return isAllowed(originOf(single(headers.referer)));
  }
  if (headers['sec-fetch-site']) {
    var site = single(headers['sec-fetch-site']);
    return site === 'same-origin' || site === 'same-site';
  }
  return undefined;
}

// A list, as a look-up in an object would find `constructor`. A star stands for one label or more. There are
// letters beyond ASCII that become one of it in lower case.
function isAllowed(origin) {
  if (origin === undefined || /[^!-~]/.test(origin)) return false;
  var asked = origin.toLowerCase();
  return CONFIG.allowedSites.some(function (site) {
    var star = site.indexOf('*');
    if (star < 0) return asked === site;
    var after = site.slice(star + 1);
    var between = asked.slice(star, -after.length);
    return asked === site.slice(0, star) + between + after && SUBDOMAINS.test(between);
  });
}

// No user name: https://site.example@elsewhere.example/ is a page of elsewhere.
function originOf(address) {
  var found = /^(https?:\/\/[^/?#\\@]+)([/?#]|$)/i.exec(address || '');
  return found ? found[1] : undefined;
}

// Undefined for a header sent twice: one value could be for the edge to see, and one for the origin.
function single(header) {
  if (!header || (header.multiValue && header.multiValue.length > 1)) return undefined;
  return header.value;
}

// The answer to a token that opens nothing. Every key is tried, and every character compared, so that
// the time it takes tells nothing of them. Only what was good once is told apart: a page can have it
// made anew.
function refusalOf(request, token) {
  if (!token) return denied(request, 'This video is fetched with a token that its address lacks.');
  var right = 0;
  CONFIG.tokenKeys.forEach(function (key) {
    var signed = crypto.createHmac('sha256', key).update(token[1] + token[3]);
    right |= isSame(signed.digest('base64url'), token[2]);
  });
  if (!right) return denied(request, 'The token in the address of this video is not right.');
  if (Number(token[1]) * 1000 > Date.now()) return undefined;
  return refusal(request, 410, 'Gone', 'The address of this video has expired.');
}

function isSame(one, other) {
  var difference = one.length ^ other.length;
  for (var i = 0; i < one.length; i += 1) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
  return difference === 0 ? 1 : 0;
}

function preflight(request) {
  var headers = withCors(request, { 'cache-control': { value: 'no-store' } });
  headers['access-control-allow-methods'] = { value: CONFIG.cors.methods };
  headers['access-control-allow-headers'] = { value: CONFIG.cors.requestHeaders };
  headers['access-control-max-age'] = { value: CONFIG.cors.maxAge };
  return { statusCode: 204, statusDescription: 'No Content', headers: headers };
}

function denied(request, sentence) {
  return refusal(request, 403, 'Forbidden', sentence);
}

function notFound(request) {
  return refusal(
    request,
    404,
    'Not Found',
    'There is no such address. Addresses here have no escapes.',
  );
}

function wrongMethod(request) {
  var refused = refusal(request, 405, 'Method Not Allowed', 'Videos can only be fetched.');
  refused.headers.allow = { value: CONFIG.cors.methods };
  return refused;
}

function refusal(request, statusCode, statusDescription, sentence) {
  return {
    statusCode: statusCode,
    statusDescription: statusDescription,
    headers: withCors(request, {
      'content-type': { value: 'text/plain; charset=utf-8' },
      'cache-control': { value: 'no-store' },
    }),
    body: sentence + '\n',
  };
}

// A page of an allowed site may read also why it gets nothing; another is told nothing.
function withCors(request, headers) {
  var origin = single(request.headers.origin);
  if (!isAllowed(origin)) return headers;
  headers['access-control-allow-origin'] = { value: origin };
  headers['access-control-expose-headers'] = { value: CONFIG.cors.exposedHeaders };
  headers.vary = { value: 'Origin' };
  return headers;
}
