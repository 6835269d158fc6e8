/** The properties of an element, by name. */
export interface Properties {
  /** The attributes that string properties reflect. */
  readonly strings: Readonly<Record<string, string>>;
  /** The attributes that boolean properties reflect. */
  readonly flags: Readonly<Record<string, string>>;
  /** Properties that read and write the property of the same name on another object. */
  readonly delegated: readonly string[];
}

/** A flag is set by its presence, as in HTML, except for `="false"`, which frameworks and people write for "off". */
export function hasFlag(element: Element, attribute: string): boolean {
  return element.hasAttribute(attribute) && element.getAttribute(attribute) !== 'false';
}

/** Defines the properties on a class of elements. */
export function defineProperties<Kind extends Element>(
  { prototype }: { readonly prototype: Kind },
  { strings, flags, delegated }: Properties,
  delegate: (element: Kind) => object,
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
  for (const [name, attribute] of Object.entries(strings)) {
    define(
      name,
      (element) => element.getAttribute(attribute) ?? '',
      (element, value) => {
        // Frameworks set null or undefined for "no value".
        if (value === undefined || value === null) element.removeAttribute(attribute);
        // The browser converts any other value to a string.
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
  for (const name of delegated) {
    define(
      name,
      (element): unknown => Reflect.get(delegate(element), name),
      (element, value) => Reflect.set(delegate(element), name, value),
    );
  }
}

/**
 * Applies values that the page set before the element's class was defined. Until then they are own properties of the
 * element, which hide those of the class.
 */
export function upgradeProperties(
  element: Element,
  { strings, flags, delegated }: Properties,
): void {
  for (const name of [...Object.keys(strings), ...Object.keys(flags), ...delegated]) {
    if (!Object.hasOwn(element, name)) continue;
    const value: unknown = Reflect.get(element, name);
    Reflect.deleteProperty(element, name);
    Reflect.set(element, name, value);
  }
}
