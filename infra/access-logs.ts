import type { CloudfrontDistribution } from '@cdktf/provider-aws/lib/cloudfront-distribution/index.js';
import { CloudwatchLogDeliveryDestination } from '@cdktf/provider-aws/lib/cloudwatch-log-delivery-destination/index.js';
import { CloudwatchLogDeliverySource } from '@cdktf/provider-aws/lib/cloudwatch-log-delivery-source/index.js';
import { CloudwatchLogDelivery } from '@cdktf/provider-aws/lib/cloudwatch-log-delivery/index.js';
import type { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js';
import { S3BucketPolicy } from '@cdktf/provider-aws/lib/s3-bucket-policy/index.js';
import { Construct } from 'constructs';
import { accountOf, bucketOnlyByTls, policy } from './policy.ts';
import type { Bucket } from './storage.ts';

interface AccessLogsProps {
  readonly name: string;
  readonly distribution: CloudfrontDistribution;
  readonly bucket: Bucket;
  /** For us-east-1: CloudFront delivers its logs from there. */
  readonly provider: AwsProvider;
}

/**
 * Writes the CDN's access logs to the log bucket by standard logging, version 2. Unlike version 1 it needs no
 * access control lists on the bucket.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html
 */
export class AccessLogs extends Construct {
  constructor(scope: Construct, id: string, props: AccessLogsProps) {
    super(scope, id);
    const { name, distribution, bucket, provider } = props;
    const account = accountOf(distribution.arn);
    const mayWrite = new S3BucketPolicy(this, 'writer', {
      bucket: bucket.name,
      policy: policy(bucketOnlyByTls(bucket.arn), {
        Sid: 'AWSLogDeliveryWrite',
        Effect: 'Allow',
        Principal: { Service: 'delivery.logs.amazonaws.com' },
        Action: ['s3:PutObject'],
        Resource: [`${bucket.arn}/AWSLogs/${account}/*`],
        Condition: {
          StringEquals: {
            's3:x-amz-acl': 'bucket-owner-full-control',
            'aws:SourceAccount': account,
          },
          ArnLike: { 'aws:SourceArn': `arn:aws:logs:us-east-1:${account}:delivery-source:${name}` },
        },
      }),
    });
    const source = new CloudwatchLogDeliverySource(this, 'source', {
      provider,
      name,
      logType: 'ACCESS_LOGS',
      resourceArn: distribution.arn,
    });
    const destination = new CloudwatchLogDeliveryDestination(this, 'destination', {
      provider,
      name,
      outputFormat: 'w3c',
      deliveryDestinationConfiguration: [{ destinationResourceArn: bucket.arn }],
    });
    new CloudwatchLogDelivery(this, 'delivery', {
      provider,
      deliverySourceName: source.name,
      deliveryDestinationArn: destination.arn,
      dependsOn: [mayWrite],
    });
  }
}
