import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PRIVATE_FOLDER, makeFolder } from '../../core/storage/folder.ts';

const NAME = 'A first video.mp4';

/**
 * Creates a demo clip unless it exists, and returns its path: slowly moving colours, a running time code, and a beep with a
 * flash on each second, to check sync by eye and ear.
 */
export async function makeDemoClip(directory: string, signal: AbortSignal): Promise<string> {
  const path = join(directory, NAME);
  if (existsSync(path)) return path;
  await makeFolder(directory, PRIVATE_FOLDER);
  const draft = join(directory, 'draft.mp4');
  await makeClip(draft, { seconds: 30, title: 'A first video' }, signal);
  await rename(draft, path);
  return path;
}

/** Creates the clip with another length and title. The title makes its bytes unique. */
export async function makeClip(
  path: string,
  clip: { readonly seconds: number; readonly title: string },
  signal: AbortSignal,
): Promise<void> {
  try {
    await promisify(execFile)('ffmpeg', clipCommand(path, clip), { signal });
  } catch (error) {
    signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('ffmpeg is not installed. Run ./scripts/setup.', { cause: error });
  }
}

function clipCommand(
  output: string,
  { seconds, title }: { readonly seconds: number; readonly title: string },
): readonly string[] {
  const source = `gradients=s=1280x720:r=30:d=${seconds}:speed=0.02:n=4:seed=7:c0=0x0b1f3a:c1=0x1f5fbf:c2=0x14b8a6:c3=0x7c3aed`;
  const text = 'fontcolor=white:shadowcolor=black@0.6:shadowx=2:shadowy=2:x=(w-text_w)/2';
  const picture = [
    // The flash lasts as long as the beep: a fifteenth of a second.
    "drawbox=x=0:y=ih-24:w=iw:h=24:color=white@0.9:t=fill:enable='lt(mod(t,1),1/15)'",
    `drawtext=text='vodstack':fontsize=56:y=h*0.28:${text}`,
    `drawtext=text='%{pts\\:hms}':fontsize=110:y=h*0.45:${text}`,
    `drawtext=text='beep and flash on each second':fontsize=30:y=h*0.68:${text}`,
    'format=yuv420p',
  ];
  const sound = `aevalsrc='0.25*sin(2*PI*if(eq(mod(floor(t),5),0),880,660)*t)*lt(mod(t,1),1/15)':s=48000:d=${seconds}`;
  return [
    ...['-nostdin', '-hide_banner', '-loglevel', 'error', '-y'],
    ...['-f', 'lavfi', '-i', `${source},${picture.join(',')}[out0];${sound}[out1]`],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20'],
    ...['-c:a', 'aac', '-t', String(seconds)],
    ...['-metadata', `title=${title}`, '-movflags', '+faststart', '-f', 'mp4'],
    output,
  ];
}
