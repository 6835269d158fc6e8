const MINIMUM = { major: 22, minor: 18 };

/** Throws unless this is Node 22.18 or newer, which can run TypeScript and has node:sqlite. */
export function requireNode(version: string = process.version): void {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  if (major > MINIMUM.major || (major === MINIMUM.major && minor >= MINIMUM.minor)) return;
  throw new Error(
    `This is Node ${version}, and vodstack needs ${MINIMUM.major}.${MINIMUM.minor} or newer. ` +
      `Run ./scripts/start, which downloads its own, or install the newest Node LTS.`,
  );
}
