import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const files = ['src', 'test'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
)

/** Folders whose tests start no process and measure no memory. */
const quiet = /^(?:src|test\/(?:config|inbounds|kinds|library|links|protocol|seeds))\//
/** Who exchanges a module for another needs a process of its own, so that nobody else meets what is put there. */
const mocks = (file: string): boolean => readFileSync(file, 'utf8').includes('vi.mock(')

/** These run in one process, one after the other: loading the modules anew for each takes longer than all their tests. */
const together = files.filter((file) => quiet.test(file) && !mocks(file))
const alone = files.filter((file) => !together.includes(file))

export default defineConfig({
  test: {
    pool: 'forks',
    // Much of the time is waiting for sockets and processes: one worker, the default on two cores, leaves a core idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 30_000,
    hookTimeout: 30_000,
    ...(process.versions.bun !== undefined && { server: { deps: { inline: ['zod'] } } }),
    projects: [
      { extends: true, test: { name: 'together', isolate: false, include: together } },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
})
