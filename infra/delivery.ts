import { CloudfrontCachePolicy } from '@cdktf/provider-aws/lib/cloudfront-cache-policy/index.js';
import { CloudfrontDistribution } from '@cdktf/provider-aws/lib/cloudfront-distribution/index.js';
import type {
  CloudfrontDistributionOrigin,
  CloudfrontDistributionViewerCertificate,
} from '@cdktf/provider-aws/lib/cloudfront-distribution/index.js';
import { CloudfrontFunction } from '@cdktf/provider-aws/lib/cloudfront-function/index.js';
import { CloudfrontOriginAccessControl } from '@cdktf/provider-aws/lib/cloudfront-origin-access-control/index.js';
import { CloudfrontResponseHeadersPolicy } from '@cdktf/provider-aws/lib/cloudfront-response-headers-policy/index.js';
import { S3BucketPolicy } from '@cdktf/provider-aws/lib/s3-bucket-policy/index.js';
import { SsmParameter } from '@cdktf/provider-aws/lib/ssm-parameter/index.js';
import { Annotations, dependable, Fn, Token } from 'cdktf';
import type { Construct } from 'constructs';
import { ENCODINGS } from '../core/http/compress.ts';
import {
  CACHE_POLICIES,
  CORS,
  DEFAULT_POLICY,
  HEADERS,
  MISSING,
  PATHS,
  PUBLISHED,
} from '../edge/behaviours.ts';
import type { CachePolicyName } from '../edge/behaviours.ts';
import { viewerRequestSource } from '../edge/source.ts';
import { AccessLogs } from './access-logs.ts';
import { Firewall } from './firewall.ts';
import {
  distributionParameter,
  edgeKeysParameter,
  nameOf,
  originParameter,
  originSecretParameter,
  playbackKeyParameter,
  RESOURCES,
  stackName,
} from './names.ts';
import { declareOutputs } from './outputs.ts';
import type { DeliveryOutputs } from './outputs.ts';
import { bucketOnlyByTls, policy } from './policy.ts';
import type { Statement } from './policy.ts';
import { StageStack } from './stack.ts';
import type { StageProps } from './stack.ts';
import type { Bucket } from './storage.ts';

export interface DeliveryProps extends StageProps {
  readonly deliveryBucket: Bucket;
  readonly logBucket: Bucket;
}

/** The CDN with its edge function, and the policy of the delivery bucket. */
export class DeliveryStack extends StageStack {
  readonly distribution: CloudfrontDistribution;
  private readonly deliveryBucket: Bucket;

  constructor(scope: Construct, { deliveryBucket, logBucket, ...props }: DeliveryProps) {
    super(scope, stackName(props.config.name, 'delivery'), props);
    this.deliveryBucket = deliveryBucket;
    const { name, accessMode, priceClass, domain, firewall } = this.config;
    const { origin, readers } = this.access();
    const edgeFunction = this.edgeFunction();
    const common = {
      targetOriginId: origin.originId,
      viewerProtocolPolicy: 'redirect-to-https',
      // The edge function answers OPTIONS.
      allowedMethods: [...CORS.methods],
      cachedMethods: ['GET', 'HEAD'],
      compress: true,
      responseHeadersPolicyId: this.responseHeaders().id,
      functionAssociation: [{ eventType: 'viewer-request', functionArn: edgeFunction.arn }],
    };
    const policies = {
      versions: this.cachePolicy('versions'),
      pointer: this.cachePolicy('pointer'),
      player: this.cachePolicy('player'),
    };
    const behaviour = (policy: CachePolicyName) => ({
      ...common,
      cachePolicyId: policies[policy].id,
    });
    this.distribution = new CloudfrontDistribution(this, 'distribution', {
      enabled: true,
      comment: nameOf(name, 'delivery'),
      // Propagation takes minutes, and nothing here has to wait for it. A deploy that is killed while waiting would
      // leave a distribution that Terraform does not know.
      waitForDeployment: false,
      httpVersion: 'http2and3',
      isIpv6Enabled: true,
      // This object does not exist. Without it, `/` could list a bucket that somebody has made public.
      defaultRootObject: 'index.html',
      priceClass,
      aliases: domain ? [domain.name] : [],
      viewerCertificate: certificate(domain?.certificateArn),
      restrictions: { geoRestriction: { restrictionType: 'none' } },
      ...(firewall
        ? { webAclId: new Firewall(this, 'firewall', name, firewall, this.atTheEdge()).arn }
        : {}),
      origin: [origin],
      orderedCacheBehavior: PATHS.map(({ pattern, policy }) => ({
        pathPattern: pattern,
        ...behaviour(policy),
      })),
      defaultCacheBehavior: behaviour(DEFAULT_POLICY),
      customErrorResponse: [
        { errorCode: MISSING.status, errorCachingMinTtl: MISSING.cacheSeconds },
      ],
    });
    const mayRead = new S3BucketPolicy(this, 'readers', {
      bucket: deliveryBucket.name,
      policy: policy(readers(this.distribution), bucketOnlyByTls(deliveryBucket.arn)),
    });
    // The bucket must accept a new secret before the CDN sends it. In other modes the policy needs the distribution.
    if (accessMode === 'public-read-via-cdn') this.distribution.dependsOn = [dependable(mayRead)];
    new AccessLogs(this, 'access-logs', {
      name: nameOf(name, 'edge'),
      distribution: this.distribution,
      bucket: logBucket,
      provider: this.atTheEdge(),
    });
    const address = `https://${domain?.name ?? this.distribution.domainName}`;
    this.parameter('where-videos-are', originParameter(name), 'Where the videos are', address);
    this.parameter('distribution-id', distributionParameter(name), 'The CDN', this.distribution.id);
    declareOutputs<DeliveryOutputs>(this, {
      distributionDomain: this.distribution.domainName,
      distributionId: this.distribution.id,
      functionName: edgeFunction.name,
      origin: address,
    });
  }

  /** A parameter that commands read by the stage's name. */
  private parameter(id: string, name: string, description: string, value: string): void {
    // A killed deploy may have created it without recording it in the state.
    new SsmParameter(this, id, { name, description, type: 'String', value, overwrite: true });
  }

  /** How the CDN reads the bucket, and the bucket policy's statement for readers. */
  private access(): {
    readonly origin: CloudfrontDistributionOrigin;
    readonly readers: (distribution: CloudfrontDistribution) => Statement;
  } {
    const { name, accessMode } = this.config;
    const origin = { originId: 'delivery', domainName: this.deliveryBucket.domainName };
    const read = {
      Effect: 'Allow',
      Action: ['s3:GetObject'],
      Resource: PUBLISHED.map((prefix) => `${this.deliveryBucket.arn}/${prefix}*`),
    } as const;
    switch (accessMode) {
      case 'cdn-only': {
        const control = new CloudfrontOriginAccessControl(this, 'origin-access', {
          name: nameOf(name, 'delivery'),
          originAccessControlOriginType: 's3',
          signingBehavior: 'always',
          signingProtocol: 'sigv4',
        });
        return {
          origin: { ...origin, originAccessControlId: control.id },
          readers: (distribution) => ({
            Sid: 'OnlyTheDistributionReads',
            ...read,
            Principal: { Service: 'cloudfront.amazonaws.com' },
            Condition: { StringEquals: { 'AWS:SourceArn': distribution.arn } },
          }),
        };
      }
      case 'public-read-via-cdn': {
        const secrets = this.originSecrets();
        return {
          origin: { ...origin, customHeader: [{ name: 'Referer', value: secrets[0] }] },
          readers: () => ({
            Sid: 'WhoKnowsTheSecretOfTheCdnReads',
            ...read,
            Principal: '*',
            Condition: { StringEquals: { 'aws:Referer': secrets } },
          }),
        };
      }
      case 'public-read':
        Annotations.of(this).addWarning(
          `Stage ${name} has accessMode public-read: whoever knows the bucket's own address ` +
            'fetches there, past the edge and its rule of which sites may show the videos, and you ' +
            'pay for it. Only public-read-via-cdn and cdn-only keep that rule.',
        );
        return { origin, readers: () => ({ Sid: 'AnybodyReads', ...read, Principal: '*' }) };
    }
  }

  /**
   * The secrets between CDN and bucket. The bucket accepts both, because some edges still send the previous one for a
   * while after a change. `./scripts/deploy <stage> --new-origin-secret` draws a new one.
   */
  private originSecrets(): readonly [newest: string, previous: string] {
    return this.pair(
      'origin-secret',
      originSecretParameter(this.config.name),
      'What the CDN sends as Referer, and the delivery bucket demands, newest first',
    );
  }

  /** The keys that the edge function accepts. `./scripts/play-address <stage> --rotate` draws a new one. */
  private edgeKeys(): readonly [newest: string, previous: string] {
    return this.pair(
      'edge-keys',
      edgeKeysParameter(this.config.name),
      'The keys of playback tokens that the edge takes at the next deploy, newest first',
    );
  }

  /** Two secrets of 244 random bits each. Terraform draws them once; later they may be changed in SSM. */
  private pair(id: string, name: string, description: string): readonly [string, string] {
    const { value } = new SsmParameter(this, id, {
      name,
      description,
      type: 'SecureString',
      value: `${Fn.uuid()}-${Fn.uuid()} ${Fn.uuid()}-${Fn.uuid()}`,
      // Each plan evaluates uuid() anew; only the first value counts.
      lifecycle: { ignoreChanges: ['value'] },
    });
    const one = (index: number) => Token.asString(Fn.element(Fn.split(' ', value), index));
    return [one(0), one(1)];
  }

  private edgeFunction(): CloudfrontFunction {
    const { name, allowedSites, allowNoContext, openPosters, playbackTokens } = this.config;
    const tokenKeys: readonly string[] = playbackTokens ? this.edgeKeys() : [];
    const edgeFunction = new CloudfrontFunction(this, 'viewer-request', {
      name: nameOf(name, RESOURCES.edgeFunction),
      comment: 'Who may fetch what is published',
      runtime: 'cloudfront-js-2.0',
      publish: true,
      code: viewerRequestSource({ allowedSites, allowNoContext, openPosters, tokenKeys }),
    });
    const [newest] = tokenKeys;
    if (newest !== undefined) {
      new SsmParameter(this, 'playback-key', {
        name: playbackKeyParameter(name),
        description: 'What addresses are signed with',
        type: 'SecureString',
        value: newest,
        overwrite: true,
        // Nobody may sign with a key before the edge function accepts it.
        dependsOn: [edgeFunction],
      });
    }
    return edgeFunction;
  }

  private cachePolicy(policy: CachePolicyName): CloudfrontCachePolicy {
    return new CloudfrontCachePolicy(this, `cache-${policy}`, {
      name: nameOf(this.config.name, policy),
      ...CACHE_POLICIES[policy],
      parametersInCacheKeyAndForwardedToOrigin: {
        enableAcceptEncodingBrotli: ENCODINGS.includes('br'),
        enableAcceptEncodingGzip: ENCODINGS.includes('gzip'),
        cookiesConfig: { cookieBehavior: 'none' },
        headersConfig: { headerBehavior: 'none' },
        queryStringsConfig: { queryStringBehavior: 'none' },
      },
    });
  }

  private responseHeaders(): CloudfrontResponseHeadersPolicy {
    return new CloudfrontResponseHeadersPolicy(this, 'response-headers', {
      name: nameOf(this.config.name, 'response-headers'),
      corsConfig: {
        accessControlAllowOrigins: { items: [CORS.allowOrigin] },
        accessControlAllowMethods: { items: [...CORS.methods] },
        accessControlAllowHeaders: { items: [...CORS.requestHeaders] },
        accessControlExposeHeaders: { items: [...CORS.exposedHeaders] },
        accessControlAllowCredentials: false,
        accessControlMaxAgeSec: CORS.maxAgeSeconds,
        originOverride: true,
      },
      securityHeadersConfig: { contentTypeOptions: { override: true } },
      customHeadersConfig: {
        items: Object.entries(HEADERS).map(([header, value]) => ({
          header,
          value,
          override: true,
        })),
      },
    });
  }
}

function certificate(arn: string | undefined): CloudfrontDistributionViewerCertificate {
  if (arn === undefined) return { cloudfrontDefaultCertificate: true };
  return {
    acmCertificateArn: arn,
    sslSupportMethod: 'sni-only',
    minimumProtocolVersion: 'TLSv1.2_2021',
  };
}
