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
  message: 'Only worker/io/ffmpeg.ts runs ffmpeg.',
};

export default tseslint.config(
  { ignores: ['node_modules/', 'eslint.config.js', 'cdktf.out/', 'edge/*.js', 'data/', 'dist/'] },
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
      // A port's method is asynchronous in every home, also where one home has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { varsIgnorePattern: '^_', argsIgnorePattern: '^_' },
      ],
    },
  },
  // The plan decides and touches nothing: no I/O, no clock, no chance, no SDK.
  ...['..', '../..'].map((outside) => ({
    files: [outside === '..' ? 'worker/plan/*.ts' : 'worker/plan/*/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: ioModules.map((name) => ({ name, message: 'worker/plan is pure.' })),
          patterns: [
            {
              group: [
                '**/io/**',
                `${outside}/*.ts`,
                `!${outside}/errors.ts`,
                '@aws-sdk/*',
                'fluent-ffmpeg',
                'pino',
              ],
              message: 'worker/plan is pure.',
            },
          ],
        },
      ],
      'no-restricted-globals': ['error', 'process', 'fetch', 'setTimeout', 'setInterval'],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'worker/plan has no clock.' },
        { object: 'Math', property: 'random', message: 'worker/plan has no chance.' },
      ],
    },
  })),
  {
    files: ['worker', 'commands', 'local', 'cloud', 'test', 'bench'].map((one) => `${one}/**/*.ts`),
    ignores: ['worker/io/ffmpeg.ts', 'worker/plan/**'],
    rules: { 'no-restricted-imports': ['error', { paths: [ffmpegElsewhere] }] },
  },
  {
    files: ['worker/**/*.ts'],
    ignores: ['worker/io/aws/**', 'worker/io/ffmpeg.ts', 'worker/plan/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [ffmpegElsewhere],
          patterns: [
            {
              group: ['@aws-sdk/*', '**/aws/*'],
              message: 'worker/io/home.ts loads the AWS SDK, when it is needed.',
            },
          ],
        },
      ],
    },
  },
  {
    // Names from outside must not reach a terminal as they are.
    files: ['commands', 'local', 'cloud'].map((one) => `${one}/**/*.ts`),
    ignores: ['commands/terminal.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'MemberExpression[property.name="write"][object.property.name=/^(stdout|stderr)$/]',
          message: 'commands/terminal.ts writes to the terminal.',
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
                'Import @cdktf/provider-aws/lib/<resource>/index.js: the whole of it takes 10 s and 700 MB.',
            },
          ],
        },
      ],
    },
  },
);
