// The command as a few large files instead of a thousand small ones: it starts in half the time, and also where few files may be
// open. The library stays as the compiler leaves it. What is asked for late stays apart and is loaded late; packages that
// have native parts or look for files of their own stay where they are installed.
import { cpSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

const asInstalled = /^(?:libsql|pino|@grpc\/.*)$/

const bundle = await rolldown({
  input: { main: at('src/cli/main.ts'), worker: at('src/cli/worker.ts') },
  platform: 'node',
  external: asInstalled,
  resolve: { mainFields: ['module', 'main'] },
  tsconfig: false,
})
rmSync(at('dist/cli/main.js.map'), { force: true })
// Beside dist/cli.js by as many folders as the sources: what they look for, they find.
await bundle.write({
  dir: at('dist/cli'),
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'part-[hash].js',
})
await bundle.close()
cpSync(at('src/api/grpc/proto'), at('dist/cli/proto'), { recursive: true })
