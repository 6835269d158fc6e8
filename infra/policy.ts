import { Fn, Token } from 'cdktf';

export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  /** In a resource's own policy: who. */
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

/** Refuses what comes by plain HTTP, whoever sends it. */
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

/** Likewise for a bucket and everything in it. */
export function bucketOnlyByTls(arn: string): Statement {
  return onlyByTls('s3:*', arn, `${arn}/*`);
}

/** Who may take on a role: a service, for things of this account alone (the confused deputy's remedy). */
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

/** The account in `arn:aws:service:region:account:…`, so that nobody need be asked for it. Not for a bucket's. */
export function accountOf(arn: string): string {
  return Token.asString(Fn.element(Fn.split(':', arn), 4));
}
