/** Which versions of the delivery bucket nobody needs any more: decided from what is there and from earlier notes. */

/**
 * How long a version stays after it was first seen that no pointer names it. A viewer who began before it was replaced
 * still reads its playlists: hours, or days with a tab left open. A site may show its poster until it has taken notice
 * of the next version. A dead letter of a failed job can be sent back for 14 days, SQS's longest retention, and finds
 * the units that were done.
 */
export const GRACE_DAYS = 14;

/** A removal takes seconds; after so long whoever removed was cut off, and another may go on. */
export const REMOVAL_MILLISECONDS = 3_600_000;

const GRACE_MILLISECONDS = GRACE_DAYS * 24 * 3_600_000;

export interface Version {
  readonly assetId: string;
  readonly version: string;
}

/** What the delivery bucket holds of an asset. */
export interface DeliveredAsset {
  readonly assetId: string;
  readonly versions: readonly string[];
  /** Undefined where nothing is published. */
  readonly pointer?: { readonly version: string | undefined } | undefined;
}

/** Written when a version was first seen without a name, and again when somebody removes it. */
export interface UnreferencedNote extends Version {
  /** Undefined when the note cannot be read. */
  readonly since: Date | undefined;
  readonly isRemoving: boolean;
  readonly etag: string;
}

export interface GarbageFacts {
  readonly assets: readonly DeliveredAsset[];
  /** Assets with work still to be done. */
  readonly busy: ReadonlySet<string>;
  readonly notes: readonly UnreferencedNote[];
}

export interface Garbage {
  /** Versions that no pointer names, seen so for the first time. */
  readonly found: readonly Version[];
  /** Those that were seen before, until their time is over. */
  readonly waiting: readonly UnreferencedNote[];
  readonly due: readonly UnreferencedNote[];
  /** Notes of versions that are gone, named again or at work again, and notes that cannot be read. */
  readonly settled: readonly UnreferencedNote[];
}

export function classifyVersions({ assets, busy, notes }: GarbageFacts, now: Date): Garbage {
  const unnamed = new Map(
    assets.flatMap((asset) =>
      unreferencedOf(asset).map((version) => {
        const one = { assetId: asset.assetId, version };
        return [nameOf(one), one] as const;
      }),
    ),
  );
  const noted = new Set(notes.map(nameOf));
  const groups = Map.groupBy(notes, (note): Exclude<keyof Garbage, 'found'> => {
    const isUnnamed = unnamed.has(nameOf(note));
    if (!note.since) return 'settled';
    const age = now.getTime() - note.since.getTime();
    if (note.isRemoving) {
      if (age < REMOVAL_MILLISECONDS) return 'waiting';
      return isUnnamed ? 'due' : 'settled';
    }
    if (!isUnnamed || busy.has(note.assetId)) return 'settled';
    return age < GRACE_MILLISECONDS ? 'waiting' : 'due';
  });
  return {
    found: [...unnamed.values()].filter((one) => !noted.has(nameOf(one)) && !busy.has(one.assetId)),
    waiting: groups.get('waiting') ?? [],
    due: groups.get('due') ?? [],
    settled: groups.get('settled') ?? [],
  };
}

/** Where a pointer names a version that is not there, or none, the others may be all that is left. */
function unreferencedOf({ versions, pointer }: DeliveredAsset): readonly string[] {
  if (!pointer) return versions;
  const { version: named } = pointer;
  if (named === undefined || !versions.includes(named)) return [];
  return versions.filter((version) => version !== named);
}

function nameOf({ assetId, version }: Version): string {
  return `${assetId}/${version}`;
}
