// The edge's rule: who may fetch what is published. A CloudFront Function (runtime cloudfront-js-2.0),
// run before the cache on every request; the local edge runs this very file. It is written in the
// part of JavaScript that the runtime knows, which has no destructuring, no spread and no for-of.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html

var CONFIG = __CONFIG__;

function handler(event) {
  var request = event.request;
  var origin = single(request.headers.origin);
  if (request.method === 'OPTIONS') {
    return origin !== undefined && allowed(origin) ? preflight(origin) : denied();
  }
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return reply(405, 'Method Not Allowed', {});
  if (isOpen(request.uri) || mayFetch(request.headers, origin)) return request;
  return denied();
}

// A browser says where a request comes from in one of three ways, in this order of trust: Origin on
// every CORS request, also under no-referrer; Referer; and whether it is from the same site at all.
function mayFetch(headers, origin) {
  if (headers.origin) return origin !== undefined && allowed(origin);
  var referer = single(headers.referer);
  if (headers.referer && referer !== '') {
    var found = /^(https?:\/\/[^/?#\\@]+)([/?#]|$)/i.exec(referer || '');
    return found !== null && allowed(found[1]);
  }
  var site = single(headers['sec-fetch-site']);
  if (headers['sec-fetch-site']) return site === 'same-origin' || site === 'same-site';
  return CONFIG.allowNoContext;
}

function allowed(origin) {
  return CONFIG.allowedSites.indexOf(origin.toLowerCase()) >= 0;
}

// Link previews are fetched by machines that say nothing of where the link stands.
function isOpen(uri) {
  return (
    CONFIG.openPosters &&
    /^\/v\/[0-9a-z]+\/[0-9a-z]+\/images\/(poster|thumbnail-[0-9]+)\.jpg$/.test(uri)
  );
}

// Two headers of one name are a way to show the edge one value and the origin another.
function single(header) {
  if (!header || (header.multiValue && header.multiValue.length > 1)) return undefined;
  return header.value;
}

function preflight(origin) {
  return reply(204, 'No Content', {
    'access-control-allow-origin': { value: origin },
    'access-control-allow-methods': { value: 'GET, HEAD, OPTIONS' },
    'access-control-allow-headers': { value: 'Range' },
    'access-control-max-age': { value: '7200' },
    vary: { value: 'Origin' },
  });
}

function denied() {
  return reply(403, 'Forbidden', {});
}

function reply(statusCode, statusDescription, headers) {
  headers['cache-control'] = { value: 'no-store' };
  return { statusCode: statusCode, statusDescription: statusDescription, headers: headers };
}
