import type { z } from 'zod';

/** The output type of a schema, with all fields and arrays readonly. */
export type Parsed<Schema extends z.ZodType> = Immutable<z.infer<Schema>>;

type Immutable<Value> = { readonly [Field in keyof Value]: Immutable<Value[Field]> };
