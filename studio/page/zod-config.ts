import * as z from 'zod';

// By default zod compiles schemas with eval, which the page's Content-Security-Policy forbids.
z.config({ jitless: true });
