/** Datagrams between V2Ray, as a real process, and us: a SOCKS5 client, a client, a server, and an echo behind it. */

import { spawn, spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { socksUdp } from '../support/socks-udp.ts'
import { pattern, udpEcho } from '../support/udp.ts'
import { hasV2ray, type Program } from './rig/harness.ts'
import { type PairSpec, withPair } from './rig/pair.ts'

interface Row {
  readonly name: string
  readonly link: Omit<PairSpec, 'client' | 'server'>
  /** V2Ray 4.34 has no word for it. */
  readonly oursOnly?: boolean
}

const rows: readonly Row[] = [
  ...['aes-128-gcm', 'chacha20-poly1305', 'none'].map((security) => ({ name: security, link: { security } })),
  { name: 'aes-128-gcm, alterId 16', link: { security: 'aes-128-gcm', alterId: 16 } },
  { name: 'zero', link: { security: 'zero' }, oursOnly: true },
  { name: 'aes-128-cfb', link: { security: 'aes-128-cfb' }, oursOnly: true },
  {
    name: 'authenticated length',
    link: { security: 'aes-128-gcm', experiments: 'AuthenticatedLength' },
    oursOnly: true,
  },
]
const pairings = [
  ['ours to V2Ray', 'ours', 'v2ray'],
  ['V2Ray to ours', 'v2ray', 'ours'],
  ['ours to ours', 'ours', 'ours'],
] as const satisfies readonly (readonly [string, Program, Program])[]

/** The largest that V2Ray carries whatever it draws as padding, in a SOCKS datagram of at most 2,048 bytes. */
const largestSafe = 1_951
const sizes = [1, 40, 512, 1200, 1400, largestSafe]

let echo: Awaited<ReturnType<typeof udpEcho>>
beforeAll(async () => {
  echo = await udpEcho()
})
afterAll(() => echo.close())

describe.each(rows)('UDP by command 2, $name', ({ link, oursOnly = false }) => {
  for (const [name, client, server] of pairings) {
    const mixed = client !== server
    if (oursOnly && mixed) continue
    it.skipIf(mixed && !hasV2ray)(name, { timeout: 60_000 }, () => echoes({ ...link, inside: true, client, server }))
  }
})

describe('UDP and streams by Mux.Cool', () => {
  const mux = (concurrency: number) => ({ mux: { enabled: true, concurrency } })
  it.skipIf(!hasV2ray)('V2Ray to ours', { timeout: 60_000 }, () =>
    echoes({ inside: true, client: 'v2ray', server: 'ours', security: 'aes-128-gcm', outboundExtra: mux(8) }),
  )
})

async function echoes(spec: PairSpec): Promise<void> {
  await withPair(spec, async ({ doorPort }) => {
    const socks = await socksUdp(doorPort)
    try {
      for (const size of sizes) {
        socks.send(pattern(size), echo)
        expect((await socks.next()).bytes, `${size} bytes`).toEqual(pattern(size))
      }
    } finally {
      socks.close()
    }
  })
}

const pySocks = spawnSync('python3', ['-c', 'import socks']).status === 0
if (!pySocks && process.env.CI === 'true') console.warn('*** PySocks is not installed: its test is skipped ***')

/** Sends one datagram of each size through the SOCKS port, and fails unless it comes back. */
const script = `
import socket, socks, sys
s = socks.socksocket(socket.AF_INET, socket.SOCK_DGRAM)
s.set_proxy(socks.SOCKS5, '127.0.0.1', int(sys.argv[1]))
s.settimeout(5)
for size in (1, 512, 1400):
    data = bytes(i % 251 for i in range(size))
    s.sendto(data, ('127.0.0.1', int(sys.argv[2])))
    got, source = s.recvfrom(4096)
    assert got == data and source[1] == int(sys.argv[2]), (size, len(got), source)
print('ok')
`

describe('PySocks', () => {
  it.skipIf(!pySocks)('gets its datagrams through our SOCKS, our client and our server', { timeout: 60_000 }, () =>
    withPair({ client: 'ours', server: 'ours', security: 'aes-128-gcm' }, async ({ doorPort }) => {
      const child = spawn('python3', ['-c', script, String(doorPort), String(echo.port)])
      let text = ''
      child.stdout.on('data', (more) => (text += String(more)))
      child.stderr.on('data', (more) => (text += String(more)))
      await new Promise((resolve) => child.once('close', resolve))
      expect(text.trim()).toBe('ok')
    }),
  )
})
