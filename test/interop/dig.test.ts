/** dig → V2Ray's dokodemo-door → V2Ray's SOCKS outbound → our SOCKS → our server → a name server. */

import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { decode, encode } from 'dns-packet'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freePorts, hasV2ray, startPeer, withPeers } from './rig/harness.ts'
import { withPair } from './rig/pair.ts'

const hasDig = spawnSync('dig', ['-v']).error === undefined
if (!hasDig && process.env.CI === 'true') console.warn('*** dig is not installed: its test is skipped ***')

const names = createSocket('udp4')
beforeAll(async () => {
  names.on('message', (bytes, { port, address }) => {
    const { id, questions = [] } = decode(bytes)
    const { name, type } = questions[0]!
    const answers = type === 'A' ? [{ type, name, ttl: 60, data: '192.0.2.77' }] : []
    names.send(encode({ type: 'response', id: id!, questions, answers } as Parameters<typeof encode>[0]), port, address)
  })
  names.bind(0, '127.0.0.1')
  await once(names, 'listening')
})
afterAll(() => names.close())

it.skipIf(!hasDig || !hasV2ray)('answers to dig come back all the way', { timeout: 60_000 }, () =>
  withPair({ client: 'ours', server: 'ours', security: 'aes-128-gcm', inside: true }, async ({ doorPort }) => {
    const [port, ready] = (await freePorts(2)) as [number, number]
    const settings = { address: '127.0.0.1', port: names.address().port, network: 'udp' }
    const v2ray = {
      log: { loglevel: 'debug' },
      inbounds: [
        { listen: '127.0.0.1', port, protocol: 'dokodemo-door', settings },
        // Only to see when it is up.
        { listen: '127.0.0.1', port: ready, protocol: 'socks' },
      ],
      outbounds: [{ protocol: 'socks', settings: { servers: [{ address: '127.0.0.1', port: doorPort }] } }],
    }
    const peer = await startPeer('v2ray', v2ray, { ports: [ready] })
    await withPeers([peer], async () => {
      for (const name of ['one.example', 'another.example']) {
        expect(await dig(port, name)).toBe('192.0.2.77')
      }
    })
  }),
)

async function dig(port: number, name: string): Promise<string> {
  const child = spawn('dig', ['@127.0.0.1', '-p', String(port), '+short', '+tries=2', '+time=5', name, 'A'])
  let said = ''
  child.stdout.on('data', (more) => (said += String(more)))
  await once(child, 'close')
  return said.trim()
}
