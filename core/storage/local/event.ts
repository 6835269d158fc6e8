/** The notification that S3 sends for an upload: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
export function uploadEvent(upload: {
  readonly bucket: string;
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly at: Date;
  readonly by: 'Put' | 'CompleteMultipartUpload';
}): string {
  const { bucket, key, sizeBytes, etag, at, by } = upload;
  // S3 encodes keys as forms do, but leaves slashes.
  const encoded = encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');
  return JSON.stringify({
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: 'local',
        eventTime: at.toISOString(),
        eventName: `ObjectCreated:${by}`,
        s3: {
          s3SchemaVersion: '1.0',
          bucket: { name: bucket, arn: `arn:aws:s3:::${bucket}` },
          object: {
            key: encoded,
            size: sizeBytes,
            eTag: etag,
            sequencer: at.getTime().toString(16).toUpperCase().padStart(18, '0'),
          },
        },
      },
    ],
  });
}
