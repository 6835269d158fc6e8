// The edge's rule: who may fetch what is published. A CloudFront Function (runtime cloudfront-js-2.0),
// run before the cache on every request; the local edge runs this very file. It is written in the
// part of JavaScript that the runtime knows, which has no destructuring, no spread and no for-of.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html

var CONFIG = __CONFIG__;

function handler(event) {
  var request = event.request;
  var method = request.method;
  if (method === 'OPTIONS') {
    return isAllowed(single(request.headers.origin)) ? preflight(request.headers.origin) : denied();
  }
  if (method !== 'GET' && method !== 'HEAD') return wrongMethod();
  return isOpen(request.uri) || mayFetch(request.headers) ? request : denied();
}

// A browser says where a request comes from in one of three ways, asked in this order: Origin, on
// every CORS request and whatever the page's referrer policy; Referer; and how near the page is.
// An element without CORS on a page with the policy no-referrer sends the last only.
function mayFetch(headers) {
  if (headers.origin) return isAllowed(single(headers.origin));
  if (headers.referer && headers.referer.value !== '') {
    return isAllowed(originOf(single(headers.referer)));
  }
  if (headers['sec-fetch-site']) {
    var site = single(headers['sec-fetch-site']);
    return site === 'same-origin' || site === 'same-site';
  }
  return CONFIG.allowNoContext;
}

// A list, as a look-up in an object would find `constructor`.
function isAllowed(origin) {
  return origin !== undefined && CONFIG.allowedSites.indexOf(origin.toLowerCase()) >= 0;
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

// Link previews are fetched by machines that say nothing of where the link stands.
function isOpen(uri) {
  return (
    CONFIG.openPosters &&
    /^\/v\/[0-9a-z]+\/[0-9a-z]+\/images\/(poster|thumbnail-[0-9]+)\.jpg$/.test(uri)
  );
}

function preflight(origin) {
  return {
    statusCode: 204,
    statusDescription: 'No Content',
    headers: {
      'access-control-allow-origin': { value: origin.value },
      'access-control-allow-methods': { value: 'GET, HEAD, OPTIONS' },
      'access-control-allow-headers': { value: 'Range' },
      'access-control-max-age': { value: '7200' },
      'cache-control': { value: 'no-store' },
      vary: { value: 'Origin' },
    },
  };
}

function denied() {
  return refusal(403, 'Forbidden', 'This site may not show the videos kept here.');
}

function wrongMethod() {
  var refused = refusal(405, 'Method Not Allowed', 'Videos can only be fetched.');
  refused.headers.allow = { value: 'GET, HEAD, OPTIONS' };
  return refused;
}

function refusal(statusCode, statusDescription, sentence) {
  return {
    statusCode: statusCode,
    statusDescription: statusDescription,
    headers: {
      'content-type': { value: 'text/plain; charset=utf-8' },
      'cache-control': { value: 'no-store' },
    },
    body: sentence + '\n',
  };
}
