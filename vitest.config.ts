import { defineConfig } from 'vitest/config';

const pure = [
  'test/docs.test.ts',
  'test/core/model/*.test.ts',
  'test/worker/plan/*.test.ts',
  'test/edge/*.test.ts',
];
const slow = ['e2e', 'browser', 'fuzz', 'faults'].map((one) => `test/${one}/**/*.test.ts`);

/**
 * Fast ones first: `plan` is data in and data out, `infra` what Terraform is given, `io` uses the
 * file system, SQLite, sockets and ffmpeg on tiny clips, `e2e` starts workers and a browser,
 * `deploy` runs the real Terraform, and `container`, for which ./scripts/test does not wait, builds the
 * worker's image and runs it.
 */
export default defineConfig({
  test: {
    globalSetup: './test/temporary.ts',
    reporters: ['default', './test/closing-line.ts'],
    projects: [
      // Fast, but not on a machine that encodes beside it.
      { test: { name: 'plan', include: pure, testTimeout: 30_000, sequence: { groupOrder: 0 } } },
      {
        test: {
          name: 'infra',
          include: ['test/infra/**/*.test.ts'],
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'io',
          include: ['core', 'worker', 'edge', 'scripts', 'studio', 'media', 'hls'].map(
            (one) => `test/${one}/**/*.test.ts`,
          ),
          exclude: pure,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: slow,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          // A picture of a page alone takes longer than the second that is the default.
          expect: { poll: { timeout: 30_000 } },
          // Two cores: a second file at once would make timings of every test lie.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'deploy',
          include: ['test/deploy/**/*.test.ts'],
          // A queue takes 25 s to be made. On a busy machine everything takes several times as long: the limits
          // are for what hangs.
          testTimeout: 3_600_000,
          hookTimeout: 3_600_000,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'container',
          include: ['test/container/**/*.test.ts'],
          testTimeout: 300_000,
          // The first build fetches the base image and 300 MB of packages.
          hookTimeout: 1_800_000,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
