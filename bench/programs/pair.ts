/** A running client and server of one program, and a door to a target: what every measurement goes through. */

import { readFileSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts, type Peer, startProgram, withPeers } from '../../test/interop/rig/harness.ts'
import { type Link, type Program, usualWay, type Way } from './program.ts'

export interface Door {
  readonly program: Program
  readonly client: Peer
  readonly server: Peer
  readonly doorPort: number
}

export interface Target {
  readonly port: number
  readonly network?: 'tcp' | 'udp'
}

/** Both process ids, the client's first. */
export const pidsOf = ({ client, server }: Door): readonly [number, number] => [client.pid, server.pid]

/** Runs `body` with a fresh client and a fresh server. */
export async function withPair<T>(
  program: Program,
  way: Partial<Way>,
  target: Target,
  body: (door: Door) => Promise<T>,
): Promise<T> {
  const [serverPort, doorPort] = (await freePorts(2)) as [number, number]
  const network = target.network ?? 'tcp'
  const link: Link = { ...usualWay, ...way, serverPort, doorPort, targetPort: target.port, network }
  const started = await Promise.allSettled([
    startEnd(program, 'server', link, link.transport === 'mkcp' ? 'udp' : 'tcp'),
    startEnd(program, 'client', link, network),
  ])
  const peers = started.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
  return withPeers(peers, async () => {
    for (const end of started) if (end.status === 'rejected') throw end.reason
    const [server, client] = peers as [Peer, Peer]
    return body({ program, client, server, doorPort })
  })
}

/** Its file, in a folder of its own, and the command that reads it. */
export async function prepare(program: Program, role: 'server' | 'client', link: Link) {
  const folder = await mkdtemp(join(tmpdir(), 'vmess-bench-'))
  const file = join(folder, 'config.json')
  await writeFile(file, JSON.stringify(program.config(role, link), null, 2))
  return { folder, command: program.command(file, link) }
}

/** Files of very many users take their time. */
const startWithinMs = 60_000

/** One process of a program, once its port is open. */
export async function startEnd(
  program: Program,
  role: 'server' | 'client',
  link: Link,
  network: 'tcp' | 'udp',
): Promise<Peer> {
  const { command, folder } = await prepare(program, role, link)
  const port = role === 'server' ? link.serverPort : link.doorPort
  const name = `${role} (${program.name})`
  const peer = await startProgram(command, folder, { ports: network === 'tcp' ? [port] : [], name, startWithinMs })
  if (network === 'udp') await untilBound(peer, port)
  return peer
}

/** Whether a UDP port is taken cannot be asked by connecting to it. */
async function untilBound(peer: Peer, port: number): Promise<void> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const bound = (): boolean =>
    ['udp', 'udp6'].some((table) =>
      readFileSync(`/proc/net/${table}`, 'utf8')
        .split('\n')
        .some((line) => line.trim().split(/\s+/)[1]?.endsWith(suffix)),
    )
  const deadline = performance.now() + 15_000
  while (!bound()) {
    if (!peer.running() || performance.now() > deadline) {
      await peer.stop()
      throw new Error(`${peer.name} does not take UDP port ${port}\n${peer.log()}`)
    }
    await sleep(15)
  }
}
