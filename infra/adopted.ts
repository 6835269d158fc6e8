import { TerraformResource } from 'cdktf';
import type { IConstruct } from 'constructs';
import { z } from 'zod';

/** Things in AWS that Terraform takes over instead of making them: by its type and name of each, and what it imports it by. */
export const adoptedSchema = z.array(
  z.object({ type: z.string(), name: z.string(), id: z.string() }),
);

export type Adopted = z.infer<typeof adoptedSchema>;

/** The variable of the environment by which a deploy tells the program that declares the stacks, as JSON. */
export const ADOPTED = 'VODSTACK_ADOPTED';

/** Has Terraform import those that are declared under these names. Others are left alone. */
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
