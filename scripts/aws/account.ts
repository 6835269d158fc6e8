import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { StageConfig } from '../../infra/config.ts';

/**
 * Returns the account of the current credentials. Throws Error with a remedy if there are no credentials, if AWS refuses
 * them, or if they belong to another account than the stage.
 */
export async function requireAccount({ name, region, accountId }: StageConfig): Promise<string> {
  const account = await whoseCredentials(region);
  if (accountId === undefined || accountId === account) return account;
  throw new Error(
    `These credentials are of account ${account}, and stage ${name} belongs to ${accountId} ` +
      '(infra/config.ts). Sign in to that one, for instance by AWS_PROFILE.',
  );
}

async function whoseCredentials(region: string): Promise<string> {
  const sts = new STSClient({ region });
  try {
    const { Account } = await sts.send(new GetCallerIdentityCommand());
    if (Account === undefined) throw new Error('AWS names no account for these credentials.');
    return Account;
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
      throw new Error(
        `There are no AWS credentials: ${message} Sign in (aws configure, or aws sso login), set ` +
          'AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
        { cause: error },
      );
    if ('$fault' in (error as object))
      throw new Error(
        `AWS does not take these credentials: ${message} (${name}). Sign in again, or set AWS_PROFILE to others.`,
        { cause: error },
      );
    throw new Error(`AWS cannot be reached: ${message}`, { cause: error });
  } finally {
    sts.destroy();
  }
}
