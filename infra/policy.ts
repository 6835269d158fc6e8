import { Fn, Token } from 'cdktf';

export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  /** In a resource's own policy: who. */
  readonly Principal?: '*' | { readonly Service: string };
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export function policy(...statements: readonly Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
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
