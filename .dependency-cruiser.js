/**
 * The rooms of the project, and the rooms that each may import from. `npm run check` fails for any other arrow,
 * and for a circle, also one of types alone.
 */
const ROOMS = {
  core: [],
  edge: ['core'],
  player: [],
  worker: ['core'],
  infra: ['core', 'edge'],
  studio: ['core'],
  scripts: ['core', 'edge', 'infra', 'player', 'studio'],
};

const below = (...rooms) => `^(${rooms.join('|')})/`;

/** The same within rooms: a folder, and what it may not import from. */
const WITHIN = [
  { name: 'core/model is pure', from: ['core/model'], not: ['core/(?!model/)'] },
  {
    name: 'core/http knows nothing of videos',
    from: ['core/http'],
    not: ['core/(storage|catalog)/'],
  },
  { name: 'core/storage knows no catalog', from: ['core/storage'], not: ['core/(catalog|http)/'] },
  {
    name: 'worker/plan is pure',
    from: ['worker/plan'],
    not: ['worker/(?!plan/)', 'core/(?!model/)'],
  },
  {
    name: 'worker/ffmpeg runs what it is given',
    from: ['worker/ffmpeg'],
    not: ['worker/(?!plan/|ffmpeg/)'],
  },
  {
    name: 'studio/page knows its server by the schema',
    from: ['studio/page'],
    not: ['studio/server/', 'core/(?!model/)'],
  },
];

export default {
  forbidden: [
    { name: 'no-circles', severity: 'warn', from: {}, to: { circular: true } },
    ...Object.entries(ROOMS).map(([room, allowed]) => ({
      name: `${room} imports from ${['itself', ...allowed].join(', ')}`,
      severity: 'error',
      from: { path: below(room) },
      to: { path: below(...Object.keys(ROOMS), 'test', 'bench'), pathNot: below(room, ...allowed) },
    })),
    ...WITHIN.map(({ name, from, not }) => ({
      name,
      severity: 'error',
      from: { path: below(...from) },
      to: { path: `^(${not.join('|')})` },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(node_modules|cdktf.out)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js'] },
  },
};
