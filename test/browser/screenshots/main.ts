import { mkdir } from 'node:fs/promises';
import { openBrowser } from '../browser.ts';
import { shootStudio } from './studio.ts';

const [directory = 'screenshots'] = process.argv.slice(2);
await mkdir(directory, { recursive: true });
const browser = await openBrowser();
await shootStudio(browser, directory);
await browser.close();
process.stdout.write(`The pictures are in ${directory}.\n`);
