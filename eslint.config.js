import tseslint from 'typescript-eslint';

const ioModules = [
  'node:fs',
  'node:fs/promises',
  'node:child_process',
  'node:http',
  'node:https',
  'node:net',
  'node:os',
  'node:process',
  'node:sqlite',
  'node:stream',
  'node:timers',
  'node:timers/promises',
  'node:worker_threads',
];

const ffmpegElsewhere = {
  name: 'fluent-ffmpeg',
  message: 'Only worker/ffmpeg/run.ts runs ffmpeg.',
};

export default tseslint.config(
  {
    ignores: [
      'node_modules/',
      'eslint.config.js',
      '.dependency-cruiser.js',
      'cdktf.out/',
      'edge/*.js',
      'data/',
      'dist/',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // The methods of a port are asynchronous in every backend, also in one that awaits nothing.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { varsIgnorePattern: '^_', argsIgnorePattern: '^_' },
      ],
    },
  },
  // Planning and the model are pure: no I/O, no clock, no randomness, no SDK.
  // .dependency-cruiser.js says which room may import from which.
  {
    files: ['worker/plan/**/*.ts', 'core/model/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: ioModules.map((name) => ({ name, message: 'This room is pure.' })),
          patterns: [
            { group: ['@aws-sdk/*', 'fluent-ffmpeg', 'pino'], message: 'This room is pure.' },
          ],
        },
      ],
      'no-restricted-globals': ['error', 'process', 'fetch', 'setTimeout', 'setInterval'],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'This room has no clock.' },
        { object: 'Math', property: 'random', message: 'This room has no randomness.' },
      ],
    },
  },
  {
    files: ['**/*.ts'],
    ignores: ['worker/ffmpeg/run.ts', 'worker/plan/**', 'core/**', 'infra/**'],
    rules: { 'no-restricted-imports': ['error', { paths: [ffmpegElsewhere] }] },
  },
  {
    files: ['core/**/*.ts'],
    ignores: ['core/storage/aws/**', 'core/model/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['@aws-sdk/*', '**/aws/*'],
              message:
                'Only core/storage/open-backend.ts loads the AWS SDK, and only if it is needed.',
            },
          ],
        },
      ],
    },
  },
  {
    // Text from outside, such as a file name, must not reach the terminal unescaped.
    files: ['scripts/**/*.ts'],
    ignores: ['scripts/cli/terminal.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'MemberExpression[property.name="write"][object.property.name=/^(stdout|stderr)$/]',
          message: 'Only scripts/cli/terminal.ts writes to the terminal.',
        },
      ],
    },
  },
  {
    files: ['infra/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^@cdktf/provider-aws(?!/lib/[a-z0-9-]+/index\\.js$)',
              message:
                'Import @cdktf/provider-aws/lib/<resource>/index.js: the whole package takes 10 s and 700 MB to load.',
            },
          ],
        },
      ],
    },
  },
);
