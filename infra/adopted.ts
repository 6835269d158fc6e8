import { TerraformResource } from 'cdktf';
import type { IConstruct } from 'constructs';
import { z } from 'zod';

/** Existing resources that Terraform imports instead of creating them: their type and name, and the import id. */
export const adoptedSchema = z.array(
  z.object({ type: z.string(), name: z.string(), id: z.string() }),
);

export type Adopted = z.infer<typeof adoptedSchema>;

/** The environment variable with which a deploy passes them, as JSON, to infra/main.ts. */
export const ADOPTED = 'VODSTACK_ADOPTED';

/** Has Terraform import those that the stacks declare, and ignores the others. */
export function importAdopted(app: IConstruct, adopted: Adopted): void {
  for (const one of app.node.findAll()) {
    if (!TerraformResource.isTerraformResource(one) || !('nameInput' in one)) continue;
    const { nameInput: declared, terraformResourceType } = one;
    const found = adopted.find(
      ({ type, name }) => type === terraformResourceType && name === declared,
    );
    if (found) one.importFrom(found.id);
  }
}
