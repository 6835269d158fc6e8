// First, as schemas read the configuration when they are created.
import './zod-config.ts';
import { render } from 'preact';
import { App } from './app.tsx';
import { listen } from './library.ts';
import { followAddress } from './route.ts';
import { guardLeaving, restoreUploads } from './uploads.ts';

followAddress();
guardLeaving();
listen();
restoreUploads();
render(<App />, document.body);
