/**
 * Hides secrets in a text: the query of each URL, as a presigned URL gives access to the source, and the number of
 * the AWS account in ARNs and queue URLs. A colon that ends a query is kept: ffmpeg writes its error message behind
 * it.
 */
export function redact(text: string): string {
  return text
    .replaceAll(/(https?:\/\/[^\s?'"\\]+)\?(?:[^\s'"\\]*[^\s'"\\:])?/gi, '$1?[redacted]')
    .replaceAll(/(\barn:[\w-]+:[\w-]+:[\w-]*:|\/\/sqs\.[\w.-]+\/)\d{12}(?=[:/])/g, '$1[redacted]');
}
