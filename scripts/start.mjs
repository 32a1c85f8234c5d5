// `npm start`: the quick start, from a fresh clone. See `vmess help start`.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fail, root, setup } from './setup.mjs'

await setup().catch(fail)
const cli = join(root, 'dist/cli.js')
process.argv = [process.execPath, cli, 'start', ...process.argv.slice(2)]
await import(pathToFileURL(cli).href)
