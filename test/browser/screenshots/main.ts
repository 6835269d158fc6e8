import { fileURLToPath } from 'node:url';
import { openBrowser } from '../browser.ts';
import { openAlbum } from './album.ts';
import { shootPlayer } from './player.ts';
import { shootStudio } from './studio.ts';

const HELP = `Usage: npm run screenshots [-- NAME …]

Takes screenshots of the states of the player and the studio, and writes them to dist/screenshots/. With names,
takes only the screenshots whose names start with one of them (studio-uploading, player-menu-phone).
`;

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
  process.exit(0);
}

const directory = fileURLToPath(new URL('../../../dist/screenshots', import.meta.url));
const album = await openAlbum(directory, process.argv.slice(2));
const browser = await openBrowser();
try {
  await shootPlayer(browser, album);
  await shootStudio(browser, album);
} finally {
  await browser.close();
}
