/**
 * The rooms of the project, and the rooms that each may import from. `npm run check` fails for any other import and for
 * a circle of imports, also if only types are imported.
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

/** Rules within the rooms: a folder, and the paths that it may not import from. */
const WITHIN = [
  { name: 'core/model is pure', from: ['core/model'], not: ['core/(?!model/)'] },
  {
    name: 'core/http has no knowledge of videos',
    from: ['core/http'],
    not: ['core/(storage|catalog)/'],
  },
  {
    name: 'core/storage does not depend on the catalog',
    from: ['core/storage'],
    not: ['core/(catalog|http)/'],
  },
  {
    name: 'worker/plan is pure',
    from: ['worker/plan'],
    not: ['worker/(?!plan/)', 'core/(?!model/)'],
  },
  {
    name: 'worker/ffmpeg depends only on plans',
    from: ['worker/ffmpeg'],
    not: ['worker/(?!plan/|ffmpeg/)'],
  },
  {
    name: 'studio/page reaches its server by the schema alone',
    from: ['studio/page'],
    not: ['studio/server/', 'core/(?!model/)'],
  },
];

export default {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
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
