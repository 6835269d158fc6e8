import { Fn, Token } from 'cdktf';

export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  /** In the policy of a resource only. */
  readonly Principal?: '*' | { readonly Service: string };
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<
    Record<string, Readonly<Record<string, string | readonly string[]>>>
  >;
}

export function policy(...statements: readonly Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

/** Denies plain HTTP to everybody. */
export function onlyByTls(Action: string, ...Resource: readonly string[]): Statement {
  return {
    Sid: 'OnlyByTls',
    Effect: 'Deny',
    Principal: '*',
    Action: [Action],
    Resource,
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
}

/** Denies plain HTTP for a bucket and every object in it. */
export function bucketOnlyByTls(arn: string): Statement {
  return onlyByTls('s3:*', arn, `${arn}/*`);
}

/** Lets a service assume a role, for resources of this account only (against a confused deputy). */
export function trust(service: string, sourceArn: string, account: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: service },
        Action: 'sts:AssumeRole',
        Condition: {
          ArnLike: { 'aws:SourceArn': sourceArn },
          StringEquals: { 'aws:SourceAccount': account },
        },
      },
    ],
  });
}

/** The account in `arn:aws:service:region:account:…`. A bucket's ARN does not contain one. */
export function accountOf(arn: string): string {
  return Token.asString(Fn.element(Fn.split(':', arn), 4));
}
