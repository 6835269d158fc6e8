/** What a job is called by, wherever it is reported. */
export interface JobRef {
  readonly jobId: string;
  readonly assetId: string;
  readonly source: { readonly bucket: string; readonly key: string };
}
