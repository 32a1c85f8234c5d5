import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { limits } from '../../core/limits.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { systemFiles } from './system-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'vmess-names-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('reads the settings again when a file has changed, and looks after that only now and then', () => {
  const clock = fakeClock(0)
  const path = (name: string): string => join(folder, name)
  writeFileSync(path('hosts'), '192.0.2.1 one')
  const files = systemFiles(clock, { resolvConf: path('resolv'), hosts: path('hosts'), nsswitch: path('nss') })
  const first = files()
  expect(first).toMatchObject({ resolvConf: '', hosts: '192.0.2.1 one', nsswitch: undefined })

  clock.advance(limits.systemNamesMs)
  expect(files(), 'nothing has changed').toBe(first)

  writeFileSync(path('hosts'), '192.0.2.2 another')
  writeFileSync(path('nss'), 'hosts: files dns')
  clock.advance(limits.systemNamesMs - 1)
  expect(files(), 'it is not time yet').toBe(first)
  clock.advance(1)
  expect(files()).toMatchObject({ hosts: '192.0.2.2 another', nsswitch: 'hosts: files dns' })
})
