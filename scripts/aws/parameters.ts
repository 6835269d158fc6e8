import { GetParameterCommand, ParameterNotFound } from '@aws-sdk/client-ssm';
import type { SSMClient } from '@aws-sdk/client-ssm';

/** Reads a parameter, decrypted if it is a secret. Undefined if it does not exist. */
export async function readParameter(ssm: SSMClient, name: string): Promise<string | undefined> {
  try {
    const asked = new GetParameterCommand({ Name: name, WithDecryption: true });
    return (await ssm.send(asked)).Parameter?.Value;
  } catch (error) {
    if (error instanceof ParameterNotFound) return undefined;
    throw error;
  }
}
