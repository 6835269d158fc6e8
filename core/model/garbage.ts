/** Decides which versions in the delivery bucket are no longer needed, from a listing and from earlier notes. */

/**
 * A version is removed this long after it was first found unreferenced. Viewers who started before it was replaced
 * still read its playlists, for hours or, with a tab left open, days. A site can show its poster until it notices the
 * next version. A dead letter of a failed job can be sent back for 14 days, the longest retention of SQS, and then
 * finds the finished units.
 */
export const GRACE_DAYS = 14;

/** A removal takes seconds. After this long the remover must have died, and another one may continue. */
export const REMOVAL_MILLISECONDS = 3_600_000;

const GRACE_MILLISECONDS = GRACE_DAYS * 24 * 3_600_000;

export interface Version {
  readonly assetId: string;
  readonly version: string;
}

/** The contents of an asset's folder in the delivery bucket. */
export interface DeliveredAsset {
  readonly assetId: string;
  readonly versions: readonly string[];
  /** Undefined when nothing is published. */
  readonly pointer?: { readonly version: string | undefined } | undefined;
}

/** Written when a version is first found unreferenced, and again when it is about to be removed. */
export interface UnreferencedNote extends Version {
  /** The time of the note's last write; undefined when the note cannot be read. */
  readonly since: Date | undefined;
  readonly isRemoving: boolean;
  readonly etag: string;
}

export interface GarbageFacts {
  readonly assets: readonly DeliveredAsset[];
  /** The ids of assets with open work. */
  readonly busy: ReadonlySet<string>;
  readonly notes: readonly UnreferencedNote[];
}

export interface Garbage {
  /** Unreferenced versions without a note. */
  readonly found: readonly Version[];
  /** Versions to be kept until their time has passed. */
  readonly waiting: readonly UnreferencedNote[];
  /** Versions to be removed now. */
  readonly due: readonly UnreferencedNote[];
  /** Obsolete notes: unreadable, or of versions that are gone, referenced again or worked on again. */
  readonly settled: readonly UnreferencedNote[];
}

export function classifyVersions({ assets, busy, notes }: GarbageFacts, now: Date): Garbage {
  const unreferenced = new Map(
    assets.flatMap((asset) =>
      unreferencedOf(asset).map((version) => {
        const one = { assetId: asset.assetId, version };
        return [nameOf(one), one] as const;
      }),
    ),
  );
  const noted = new Set(notes.map(nameOf));
  const groups = Map.groupBy(notes, (note): Exclude<keyof Garbage, 'found'> => {
    const isUnreferenced = unreferenced.has(nameOf(note));
    if (!note.since) return 'settled';
    const age = now.getTime() - note.since.getTime();
    if (note.isRemoving) {
      if (age < REMOVAL_MILLISECONDS) return 'waiting';
      return isUnreferenced ? 'due' : 'settled';
    }
    if (!isUnreferenced || busy.has(note.assetId)) return 'settled';
    return age < GRACE_MILLISECONDS ? 'waiting' : 'due';
  });
  return {
    found: [...unreferenced.values()].filter(
      (one) => !noted.has(nameOf(one)) && !busy.has(one.assetId),
    ),
    waiting: groups.get('waiting') ?? [],
    due: groups.get('due') ?? [],
    settled: groups.get('settled') ?? [],
  };
}

/** None when the pointer references a missing version: the other versions may then be all that is left. */
function unreferencedOf({ versions, pointer }: DeliveredAsset): readonly string[] {
  if (!pointer) return versions;
  const { version: referenced } = pointer;
  if (referenced === undefined || !versions.includes(referenced)) return [];
  return versions.filter((version) => version !== referenced);
}

function nameOf({ assetId, version }: Version): string {
  return `${assetId}/${version}`;
}
