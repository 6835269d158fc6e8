/** The addresses of a server on loopback. */
export interface Addresses {
  /** `http://127.0.0.1:8080`, or `http://127.0.0.1` for port 80, as browsers write it. */
  readonly origin: string;
  /** The origins of its own pages. */
  readonly sites: readonly string[];
  /** The values of `Host` that it accepts. */
  readonly hosts: readonly string[];
}

export function addressesOf(port: number): Addresses {
  const urls = ['127.0.0.1', 'localhost'].map((name) => new URL(`http://${name}:${port}`));
  const sites = urls.map(({ origin }) => origin);
  // Browsers omit port 80; other clients may write it.
  const hosts = urls.flatMap(({ host, hostname }) => [host, `${hostname}:${port}`]);
  return { origin: sites[0] ?? '', sites, hosts: [...new Set(hosts)] };
}
