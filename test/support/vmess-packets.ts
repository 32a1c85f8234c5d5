/** Both ends of VMess datagrams over any pair of connections. */

import type { Address } from '../../src/core/address.ts'
import type { Conn } from '../../src/core/conn.ts'
import { ClientSession, type ClientSessionOptions } from '../../src/protocol/vmess/client.ts'
import { ReplayMemory, SessionHistory } from '../../src/protocol/vmess/replay.ts'
import { ServerSession } from '../../src/protocol/vmess/server.ts'
import { UserDirectory } from '../../src/protocol/vmess/users/directory.ts'
import { VmessPackets } from '../../src/proxy/vmess/packet-conn.ts'
import { requestPackets } from '../../src/proxy/vmess/request-packets.ts'
import type { VmessUser } from '../../src/settings/model.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'

export interface PacketKind extends Pick<ClientSessionOptions, 'security'> {
  readonly alterId?: number
  readonly authenticatedLength?: boolean
  readonly noTerminationSignal?: boolean
  readonly globalPadding?: boolean
}

export const packetTarget: Address = { host: 'example.com', port: 53 }

export interface VmessPacketPair {
  readonly client: VmessPackets
  readonly server: VmessPackets
  /** Lengths of which either end said that they are too large. */
  readonly said: number[]
}

export async function vmessPackets([a, b]: [Conn, Conn], kind: PacketKind): Promise<VmessPacketPair> {
  const clock = fakeClock(1_700_000_000_000)
  const random = fakeRandom(1)
  const { authenticatedLength = false, noTerminationSignal = false, alterId = 0 } = kind
  const experiments = { authenticatedLength, noTerminationSignal }
  const user: VmessUser = { id: new Uint8Array(16).fill(3), alterId, level: 0, email: 'a@b', experiments }
  const said: number[] = []
  const tooLarge = (length: number) => void said.push(length)
  const session: ClientSession = new ClientSession({
    user,
    security: kind.security,
    command: 'udp',
    target: packetTarget,
    experiments,
    ...(kind.globalPadding !== undefined && { globalPadding: kind.globalPadding }),
    clock,
    random,
    packet: (datagram) => client.received(datagram),
  })
  const { sealer, opener } = session
  const head = session.head()
  const client = new VmessPackets(a, { sealer, opener, head, target: packetTarget, anySource: false, tooLarge })
  client.flushHead()
  const accepted = new ServerSession({
    users: new UserDirectory<VmessUser>([user]),
    replay: new ReplayMemory(clock),
    history: new SessionHistory(clock),
    clock,
    random,
    disableInsecureEncryption: false,
  })
  for (;;) {
    const request = accepted.push((await b.read())!)
    if (request) return { client, server: requestPackets(b, request, { switchTo: undefined, tooLarge }), said }
  }
}
