import { defineConfig } from 'vitest/config';

const pure = [
  'test/docs.test.ts',
  'test/core/model/*.test.ts',
  'test/worker/plan/**/*.test.ts',
  'test/edge/*.test.ts',
];
const slow = ['e2e', 'browser', 'fuzz', 'faults'].map((one) => `test/${one}/**/*.test.ts`);

/**
 * The projects, from fast to slow:
 * - `plan`: pure functions, data in and data out
 * - `infra`: the Terraform configuration of the stacks
 * - `io`: the file system, SQLite, sockets, and ffmpeg on tiny clips
 * - `e2e`: workers, browsers, damaged files and faults
 * - `deploy`: the real Terraform against an emulator of AWS
 * - `container`: builds and runs the worker's image; ./scripts/test leaves it out
 */
export default defineConfig({
  test: {
    globalSetup: './test/temporary.ts',
    reporters: ['default', './test/closing-line.ts'],
    projects: [
      // These take milliseconds, but much longer on a machine that encodes at the same time.
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
          // A screenshot alone takes longer than the default of one second.
          expect: { poll: { timeout: 30_000 } },
          // On two cores, a second file at the same time would distort the timing of every test.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'deploy',
          include: ['test/deploy/**/*.test.ts'],
          // Creating a queue takes 25 s, and several times as long on a busy machine. The limits only end what hangs.
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
          // The first build downloads the base image and 300 MB of packages.
          hookTimeout: 1_800_000,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
