const MINIMUM = { major: 22, minor: 18 };

/** Throws unless this Node is 22.18 or newer: older ones cannot run TypeScript and lack node:sqlite. */
export function requireNode(version: string = process.version): void {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  if (major > MINIMUM.major || (major === MINIMUM.major && minor >= MINIMUM.minor)) return;
  throw new Error(
    `This is Node ${version}, and vodstack needs ${MINIMUM.major}.${MINIMUM.minor} or newer. ` +
      `Run ./scripts/start, which brings its own, or install the newest Node LTS.`,
  );
}
