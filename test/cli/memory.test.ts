/** What the command keeps of its start, seen in a snapshot of its heap. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freePort, Program, tempFolder } from './program.ts'

const marker = 'of-the-file-that-was-read'

it('lets go of the text of its files: that of many users is megabytes', async () => {
  const folder = tempFolder()
  const file = join(folder, 'config.json')
  const listen = { listen: '127.0.0.1', port: await freePort(), protocol: 'socks', tag: marker }
  writeFileSync(file, JSON.stringify({ inbounds: [listen], outbounds: [{ protocol: 'freedom' }] }))
  const program = new Program(['run', '-c', file], {
    env: { NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}` },
  })
  await program.prints(/started/)
  program.signal('SIGUSR2')
  const snapshot = () => readdirSync(folder).find((name) => name.endsWith('.heapsnapshot'))
  await expect.poll(snapshot, { timeout: 10_000 }).toBeDefined()
  // The thread that writes it does nothing else until it is whole.
  await program.stop()
  const { strings } = JSON.parse(readFileSync(join(folder, snapshot()!), 'utf8')) as { readonly strings: string[] }
  const ofFile = strings.filter((text) => text.includes(marker))
  expect(ofFile).toContain(marker)
  expect(ofFile.filter((text) => text.includes('outbounds'))).toEqual([])
})
