import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { commandName, nameCommands } from './command-name.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmess-name-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('is the path of the script where vmess is not on the PATH', () => {
  expect(commandName('/src/vmess/dist/cli.js', '/src/vmess', '/usr/bin')).toBe('node dist/cli.js')
  expect(commandName('/src/vmess/dist/cli.js', '/home/ann', '')).toBe('node /src/vmess/dist/cli.js')
  expect(commandName('/my src/cli.js', '/home/ann', undefined)).toBe("node '/my src/cli.js'")
})

it('is vmess where that is this program', () => {
  expect(commandName('/usr/local/bin/vmess', '/', '')).toBe('vmess')
  const script = join(folder, 'cli.js')
  writeFileSync(script, '')
  const other = join(folder, 'vmess')
  writeFileSync(other, '')
  chmodSync(other, 0o755)
  expect(commandName(script, folder, folder)).toBe('node cli.js')
  rmSync(other)
  symlinkSync(script, other)
  chmodSync(script, 0o755)
  expect(commandName(script, folder, `/nowhere:${folder}`)).toBe('vmess')
})

it('stands in for vmess in front of commands, and nowhere else', () => {
  const name = (text: string) => nameCommands(text, 'node dist/cli.js')
  expect(name('see "vmess run -c FILE" or `vmess uuid`')).toBe(
    'see "node dist/cli.js run -c FILE" or `node dist/cli.js uuid`',
  )
  expect(name('vmess -test; vmess <command>')).toBe('node dist/cli.js -test; node dist/cli.js <command>')
  for (const text of ['the vmess inbound', 'vmess connects', '/etc/vmess test', 'vmess 0.1.0'])
    expect(name(text)).toBe(text)
  expect(nameCommands('vmess run', 'vmess')).toBe('vmess run')
})
