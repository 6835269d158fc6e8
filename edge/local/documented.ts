/**
 * What a function finds by name: ECMAScript 5.1, and what cloudfront-js-2.0 documents besides. V8 has more, and
 * with each version of Node more again, which would do here and fail when it is deployed.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
 */
export const GLOBALS = names(`
  Object Function Array Number Boolean String Symbol Date Promise RegExp JSON Math
  Error EvalError InternalError RangeError ReferenceError SyntaxError TypeError URIError
  ArrayBuffer DataView Uint8Array Uint8ClampedArray Uint16Array Uint32Array
  Int8Array Int16Array Int32Array Float32Array Float64Array
  globalThis Infinity NaN undefined isFinite isNaN parseFloat parseInt
  decodeURI decodeURIComponent encodeURI encodeURIComponent
  require Buffer atob btoa TextEncoder TextDecoder console`);

/** Of those that V8 has more of. What symbols name, and constructors, are left as they are. */
export const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  Object: names(`assign create defineProperties defineProperty entries freeze
    getOwnPropertyDescriptor getOwnPropertyDescriptors getOwnPropertyNames getPrototypeOf is
    isExtensible isFrozen isSealed keys preventExtensions seal setPrototypeOf values`),
  'Object.prototype': names(`hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString
    toString valueOf`),
  Array: names('isArray of'),
  'Array.prototype': names(`concat copyWithin every fill filter find findIndex forEach includes
    indexOf join lastIndexOf map pop push reduce reduceRight reverse shift slice some sort splice
    toLocaleString toString unshift`),
  'Uint8Array.__proto__': names('from of'),
  'Uint8Array.__proto__.prototype': names(`buffer byteLength byteOffset copyWithin every fill
    filter find findIndex forEach includes indexOf join lastIndexOf length map reduce reduceRight
    reverse set slice some sort subarray toLocaleString toString`),
  'ArrayBuffer.prototype': names('byteLength slice'),
  'DataView.prototype': names(`buffer byteLength byteOffset
    getFloat32 getFloat64 getInt8 getInt16 getInt32 getUint8 getUint16 getUint32
    setFloat32 setFloat64 setInt8 setInt16 setInt32 setUint8 setUint16 setUint32`),
  String: names('fromCharCode fromCodePoint'),
  'String.prototype': names(`charAt charCodeAt codePointAt concat endsWith includes indexOf
    lastIndexOf localeCompare match padEnd padStart repeat replace replaceAll search slice split
    startsWith substr substring toLocaleLowerCase toLocaleUpperCase toLowerCase toString
    toUpperCase trim trimEnd trimStart valueOf`),
  Promise: names('all allSettled any race reject resolve'),
  'RegExp.prototype': names('exec flags global ignoreCase multiline source sticky test toString'),
  JSON: names('parse stringify'),
  Error: [],
};

function names(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
