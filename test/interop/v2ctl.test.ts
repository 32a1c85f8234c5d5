/** V2Ray's own tool for its API, speaking to ours: both ways in, and counters exact to the byte. */

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Api, aliceId, startApi, vmessStream } from '../api/grpc-tools.ts'

const v2ctl = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'v2ctl'))
  .find((path) => existsSync(path))

const run = promisify(execFile)
const patience = { timeout: 15_000 }

const ways = [
  { way: 'a door and a rule', portOf: ({ doorPort }: Api) => doorPort },
  { way: 'its own port', portOf: ({ listenPort }: Api) => listenPort },
] as const

describe.skipIf(!v2ctl).each(ways)('v2ctl api through $way', ({ portOf }) => {
  let api: Api
  /** Says everything back three times, so that one direction cannot be taken for the other. */
  let target: Server
  beforeEach(async () => {
    target = createServer((socket) => {
      socket.on('error', () => {}).on('data', (data) => socket.write(Buffer.concat([data, data, data])))
    })
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
    api = await startApi()
  })
  afterEach(async () => {
    await api.close()
    await new Promise((closed) => target.close(closed))
  })

  /** The tool gives up after 3 s of its own. */
  const call = async (method: string, request: string): Promise<string> => {
    const { stdout } = await run(v2ctl!, ['api', `--server=127.0.0.1:${portOf(api)}`, method, request])
    return stdout
  }
  const statOf = (name: string, value: number) => new RegExp(`name: "${name}"\\s+value: ${value}\\s`)

  it('reads counters that equal the bytes sent', { timeout: 60_000 }, async () => {
    const { port } = target.address() as AddressInfo
    const { stream, received } = await vmessStream(api.vmessPort, aliceId, port)
    const [first, second] = [100_003, 1_048_583]
    const times = { uplink: 1, downlink: 3 }
    const directions = ['uplink', 'downlink'] as const
    stream.write(Buffer.alloc(first, 1))
    await expect.poll(received, patience).toBe(3 * first)
    for (const owner of ['user>>>alice@home.lan', 'inbound>>>vmess-in', 'outbound>>>direct']) {
      for (const direction of directions) {
        const name = `${owner}>>>traffic>>>${direction}`
        const stat = await call('StatsService.GetStats', `name: "${name}" reset: false`)
        expect(stat).toMatch(statOf(name, times[direction] * first))
      }
    }

    stream.write(Buffer.alloc(second, 2))
    await expect.poll(received, patience).toBe(3 * (first + second))
    const all = await call('StatsService.QueryStats', 'pattern: "alice" reset: true')
    for (const direction of directions) {
      const name = `user>>>alice@home.lan>>>traffic>>>${direction}`
      expect(all).toMatch(statOf(name, times[direction] * (first + second)))
    }
    expect(all).not.toContain('inbound')
    expect(await call('StatsService.QueryStats', 'pattern: "alice" reset: false')).not.toContain(String(first))
    stream.destroy()
  })

  it('is told what is not there', async () => {
    await expect(call('StatsService.GetStats', 'name: "user>>>x>>>traffic>>>uplink"')).rejects.toMatchObject({
      stderr: expect.stringContaining('code = NotFound desc = user>>>x>>>traffic>>>uplink not found.'),
    })
  })

  it('restarts the log and reads what the process uses', async () => {
    await call('LoggerService.RestartLogger', '')
    expect(api.restarts()).toBe(1)
    expect(await call('StatsService.GetSysStats', '')).toMatch(/Alloc: \d{6,}/)
  })
})
