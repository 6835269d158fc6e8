/** Identifies a job in reports. */
export interface JobRef {
  readonly jobId: string;
  readonly assetId: string;
  readonly source: { readonly bucket: string; readonly key: string };
}
