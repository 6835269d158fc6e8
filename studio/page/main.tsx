import { render } from 'preact';
import { App } from './app.tsx';
import { listen } from './library.ts';
import { followAddress } from './route.ts';
import { guardLeaving, restore } from './uploads.ts';

followAddress();
guardLeaving();
listen();
restore();
render(<App />, document.body);
