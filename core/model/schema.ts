import type { z } from 'zod';

/** What a schema parses to, with all fields and arrays readonly. */
export type Parsed<Schema extends z.ZodType> = Immutable<z.infer<Schema>>;

type Immutable<Value> = { readonly [Field in keyof Value]: Immutable<Value[Field]> };
