import { readFileSync } from 'node:fs'
import { parseId } from '../../src/protocol/vmess/users/identity.ts'
import { fakeClock } from '../../src/testing/fakes.ts'
import { type Conversation, concat } from './vectors.ts'
import { openAll, pushAll, testClient, testServer, testUser } from './vmess-pair.ts'

const { cases } = JSON.parse(readFileSync(new URL('../vectors/peers-mux.json', import.meta.url), 'utf8')) as {
  cases: Conversation[]
}

export function recorded(peer: string, name: string): Conversation {
  const one = cases.find((c) => c.peer === peer && c.name === name)
  if (!one) throw new Error(`no conversation ${name} of ${peer}`)
  return one
}

const bytesOf = (c: Conversation, dir: 'c2s' | 's2c') =>
  concat(...c.events.flatMap((e) => (e.dir === dir && e.base64 ? [Buffer.from(e.base64, 'base64')] : [])))

/** Both directions in plaintext, and each datagram of a UDP request. */
export function openedConversation(c: Conversation) {
  const user = testUser(0, { id: parseId(c.id) })
  const { request, behind } = pushAll(testServer([user], fakeClock(c.unixTime * 1000)).accept(), [bytesOf(c, 'c2s')])
  if (!request) throw new Error('the header is not complete')
  const sent: Uint8Array[] = []
  const received: Uint8Array[] = []
  const note = (into: Uint8Array[]) => (datagram: Uint8Array) => void into.push(datagram.slice())
  const opener = request.command === 'udp' ? request.packetOpener(note(sent)) : request.opener
  const uplink = openAll(opener, behind)
  const client = testClient(user, fakeClock(c.unixTime * 1000), {
    command: request.command,
    security: 'aes-128-gcm',
    experiments: { authenticatedLength: request.options.authenticatedLength, noTerminationSignal: false },
    globalPadding: request.options.globalPadding,
    keys: request.keys,
    packet: note(received),
  })
  const downlink = openAll(client.opener, [bytesOf(c, 's2c')])
  return { request, uplink, downlink, sent, received }
}
