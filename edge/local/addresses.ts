/** Where a server on loopback is found. */
export interface Addresses {
  /** `http://127.0.0.1:8080`, or `http://127.0.0.1` at port 80, as browsers write it. */
  readonly origin: string;
  /** Origins of its own pages. */
  readonly sites: readonly string[];
  /** The values that `Host` may have. */
  readonly hosts: readonly string[];
}

/** How a server that listens on that port of loopback is addressed. */
export function addressesOf(port: number): Addresses {
  const urls = ['127.0.0.1', 'localhost'].map((name) => new URL(`http://${name}:${port}`));
  const sites = urls.map(({ origin }) => origin);
  // Browsers leave out port 80; other clients may write it.
  const hosts = urls.flatMap(({ host, hostname }) => [host, `${hostname}:${port}`]);
  return { origin: sites[0] ?? '', sites, hosts: [...new Set(hosts)] };
}
