/** The dependency rule of docs/architecture.md, checked by `npm run architecture`. */

/** Folder → what it may import inside src (regular expressions of path prefixes). Everything else is forbidden. */
const allowed = {
  core: ['core'],
  crypto: ['core', 'crypto'],
  'protocol/vmess': ['core/(address|env|errors|limits)', 'crypto', 'protocol/(vmess|wire)'],
  'protocol/socks': ['core/(address|env|errors|limits)', 'crypto', 'protocol/(socks|wire)'],
  'protocol/http': ['core/(address|env|errors|limits)', 'crypto', 'protocol/(http|wire)'],
  'protocol/mux': ['core/(address|env|errors|limits)', 'crypto', 'protocol/(mux|wire)'],
  'protocol/packetaddr': ['core/(address|env|errors|limits)', 'protocol/(packetaddr|wire)'],
  'protocol/sniff': ['core/(address|env|errors|limits)', 'crypto', 'protocol/(sniff|wire)'],
  'protocol/websocket': ['core/(address|env|errors|limits)', 'crypto', 'protocol/(websocket|wire)'],
  'protocol/grpc': ['core/(address|env|errors|limits)', 'protocol/(grpc|wire)'],
  'protocol/xhttp': ['core/(address|env|errors|limits)', 'protocol/(xhttp|http)'],
  'protocol/wire': ['core/(address|env|errors|limits)', 'protocol/wire'],
  net: ['core', 'net'],
  messages: ['core', 'messages'],
  kinds: ['core', 'messages', 'protocol/vmess', 'settings', 'schema', 'kinds'],
  builtin: ['core', 'kinds', 'proxy', 'transport', 'builtin'],
  dns: ['core', 'dns'],
  settings: ['core', 'settings'],
  schema: ['core', 'protocol/vmess/identity', 'settings', 'schema'],
  transport: ['core', 'net', 'messages', 'protocol', 'schema/problem', 'settings', 'transport'],
  relay: ['core', 'relay'],
  account: ['core', 'account'],
  stats: ['core', 'stats'],
  control: ['core', 'stats', 'control'],
  store: ['core', 'store'],
  api: ['core', 'crypto/hash', 'net', 'messages', 'kinds', 'stats', 'control', 'api'],
  config: ['core', 'crypto', 'protocol/vmess/identity', 'settings', 'schema', 'kinds', 'builtin', 'config', 'transport/sockopt-config'],
  app: ['core', 'crypto', 'net', 'dns', 'protocol', 'settings', 'schema', 'transport', 'relay', 'proxy/mux/associations', 'kinds', 'builtin', 'config', 'account', 'stats', 'control', 'store', 'api', 'app'],
  cli: ['core', 'crypto', 'net', 'settings', 'schema', 'config', 'app', 'cli', 'index'],
  testing: ['core', 'net', 'crypto', 'protocol/wire', 'testing'],
}

const test = '\\.test\\.ts$'

const layers = Object.entries(allowed).map(([folder, targets]) => ({
  name: `${folder.replace('/', '-')}-imports`,
  severity: 'error',
  comment: `src/${folder} may import only: ${targets.join(', ')}`,
  from: { path: `^src/${folder}/`, pathNot: [test, '/config\\.ts$', '-config\\.ts$'] },
  to: { path: '^src/', pathNot: targets.map((target) => `^src/${target}`) },
}))

module.exports = {
  forbidden: [
    ...layers,
    {
      name: 'proxy-imports',
      severity: 'error',
      comment: 'A proxy imports core, protocol and the settings types; another proxy only where it is built from it (mixed). Mux.Cool is there for all, and so is what reaches servers (upstream).',
      from: { path: '^src/proxy/([^/]+)/', pathNot: [test, '/config\\.ts$', '-config\\.ts$', '^src/proxy/mixed/'] },
      to: { path: '^src/', pathNot: ['^src/core/', '^src/protocol/', '^src/messages/', '^src/settings/', '^src/proxy/(mux|upstream)/', '^src/proxy/$1/'] },
    },
    {
      name: 'schemas-import-schema-only',
      severity: 'error',
      comment: 'The schema of a kind sits beside it, and knows only the schema tools and the value types.',
      from: { path: '^src/(proxy|transport)/.*config\\.ts$' },
      to: { path: '^src/', pathNot: ['^src/schema/', '^src/settings/', '^src/core/', '^src/(proxy|transport)/.*config\\.ts$', '^src/protocol/vmess/identity'] },
    },
    {
      name: 'node-only-at-the-edges',
      severity: 'error',
      comment: 'Sockets, files and processes are reached in net, transport, store, api, app, cli and testing; node:crypto in crypto and transport.',
      from: { path: '^src/(core|protocol|dns|relay|proxy|messages|kinds|builtin|settings|schema|config|account|stats|control)/', pathNot: test },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'crypto-imports-only-node-crypto',
      severity: 'error',
      from: { path: '^src/crypto/', pathNot: test },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'node-crypto-only-in-crypto',
      severity: 'error',
      comment: 'transport may parse certificates; everything else reaches crypto through src/crypto.',
      from: { path: '^src/', pathNot: ['^src/(crypto|transport|testing)/', test] },
      to: { path: '^(node:)?crypto$', dependencyTypes: ['core'] },
    },
    {
      name: 'zod-only-in-schemas',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/schema/', '^src/kinds/', '^src/config/', '^src/api/http/', 'config\\.ts$', test] },
      to: { path: 'node_modules/zod' },
    },
    {
      name: 'services-are-loaded-late',
      severity: 'error',
      comment: 'The APIs and the store are imported dynamically, by services.ts: who does not configure them does not pay.',
      from: { path: '^src/', pathNot: ['^src/(api|store)/', '^src/app/accounting', test] },
      to: { path: '^src/(api|app/accounting)', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'their-libraries-too',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/api/', test] },
      to: { path: 'node_modules/(@grpc|@hono|hono|prom-client|libsql)', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'dns-codec-in-one-file',
      severity: 'error',
      comment: 'src/dns/wire.ts is the one place that knows the codec of DNS messages.',
      from: { path: '^src/', pathNot: ['^src/dns/wire', '^src/testing/', test] },
      to: { path: 'node_modules/(@types/)?dns-packet' },
    },
    { name: 'nothing-imports-testing', severity: 'error', from: { path: '^src/', pathNot: ['^src/testing/', test] }, to: { path: '^src/testing/' } },
    { name: 'nothing-imports-tests', severity: 'error', from: { path: '^src/', pathNot: test }, to: { path: test } },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-undeclared-packages', severity: 'error', from: {}, to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown'] } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|node_modules)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    moduleSystems: ['es6'],
  },
}
