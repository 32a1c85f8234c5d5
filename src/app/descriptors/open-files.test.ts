import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { hasProc } from '../../../test/e2e/process-usage.ts'
import { openFilesLimit } from './open-files.ts'

it.runIf(hasProc)('Node raises the soft limit of open files to the hard one by itself', () => {
  const show = "console.log(/^Max open files.*/m.exec(require('fs').readFileSync('/proc/self/limits', 'utf8'))[0])"
  const script = 'ulimit -Sn 300; ulimit -Hn 700; exec "$0" -e "$1"'
  const { stdout } = spawnSync('sh', ['-c', script, process.execPath, show], { encoding: 'utf8' })
  expect(stdout.split(/\s+/).slice(3, 5)).toEqual(['700', '700'])
})

it.runIf(hasProc)('is the soft limit of this process', () => {
  const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))![1]
  expect(openFilesLimit()).toBe(soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft))
})
