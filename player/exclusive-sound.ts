/** Lets only one player of a page sound at a time, apart from those that may play simultaneously. */

interface Player {
  readonly video: HTMLVideoElement;
  readonly simultaneous: boolean;
}

/** The players that are connected to the page. */
export const players = new Set<Player>();

/** Pauses all other players that sound, if this player sounds. */
export function pauseOthers(player: Player): void {
  if (!soundsExclusively(player)) return;
  for (const other of players) {
    if (other !== player && soundsExclusively(other)) other.video.pause();
  }
}

function soundsExclusively({ video, simultaneous }: Player): boolean {
  return !simultaneous && !video.paused && !video.muted && video.volume > 0;
}
