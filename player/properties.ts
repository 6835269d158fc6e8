/** Properties of an element, by their names. */
export interface Properties {
  /** The attribute that each reflects as text. */
  readonly texts: Readonly<Record<string, string>>;
  /** The attribute that each reflects as true or false. */
  readonly flags: Readonly<Record<string, string>>;
  /** Those that are the properties of another object. */
  readonly others: readonly string[];
}

/** Whether a flag is on: by being there, as in HTML, but for ="false", which is meant as it is read. */
export function hasFlag(element: Element, attribute: string): boolean {
  return element.hasAttribute(attribute) && element.getAttribute(attribute) !== 'false';
}

/** Defines the properties for all elements of a class. */
export function defineProperties<Kind extends Element>(
  { prototype }: { readonly prototype: Kind },
  { texts, flags, others }: Properties,
  other: (element: Kind) => object,
): void {
  const define = (
    name: string,
    get: (element: Kind) => unknown,
    set: (element: Kind, value: unknown) => void,
  ) =>
    Object.defineProperty(prototype, name, {
      configurable: true,
      enumerable: true,
      get(this: Kind) {
        return get(this);
      },
      set(this: Kind, value: unknown) {
        set(this, value);
      },
    });
  for (const [name, attribute] of Object.entries(texts)) {
    define(
      name,
      (element) => element.getAttribute(attribute) ?? '',
      (element, value) => {
        // What frameworks set for "none".
        if (value === undefined || value === null) element.removeAttribute(attribute);
        // The browser makes a string of whatever it is.
        else element.setAttribute(attribute, value as string);
      },
    );
  }
  for (const [name, attribute] of Object.entries(flags)) {
    define(
      name,
      (element) => hasFlag(element, attribute),
      (element, value) => element.toggleAttribute(attribute, Boolean(value)),
    );
  }
  for (const name of others) {
    define(
      name,
      (element): unknown => Reflect.get(other(element), name),
      (element, value) => Reflect.set(other(element), name, value),
    );
  }
}

/**
 * Gives an element the values that a page has set before its class was there: until then they are plain
 * properties of its own, which hide those of the class.
 */
export function takeEarlyProperties(element: Element, { texts, flags, others }: Properties): void {
  for (const name of [...Object.keys(texts), ...Object.keys(flags), ...others]) {
    if (!Object.hasOwn(element, name)) continue;
    const value: unknown = Reflect.get(element, name);
    Reflect.deleteProperty(element, name);
    Reflect.set(element, name, value);
  }
}
