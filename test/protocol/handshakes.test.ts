import { expect, it } from 'vitest'
import { systemRandom } from '../../src/crypto/random.ts'
import { long } from '../support/long.ts'
import { testClient, testServer, testUser } from '../support/vmess-pair.ts'

/** In a second of fake time, so that many seconds are in memory at once. */
const perSecond = long ? 1000 : 50
const handshakes = 200 * perSecond

it(`${handshakes} handshakes: none is refused, and nothing of them stays in memory`, { timeout: 240_000 }, () => {
  const users = Array.from({ length: 3 }, (_, n) => testUser(0, { id: new Uint8Array(16).fill(n + 1) }))
  const server = testServer(users)
  const spent = { client: 0, server: 0 }
  for (let i = 0; i < handshakes; i++) {
    const user = users[i % users.length]!
    const started = performance.now()
    const client = testClient(user, server.clock, { random: systemRandom, target: { host: '127.0.0.1', port: 80 } })
    const head = client.head()
    const sent = performance.now()
    const request = server.accept().push(head)
    if (request?.user !== user) throw new Error(`handshake ${i} did not end in a request of its user`)
    const answer = request.responseHead()
    const answered = performance.now()
    client.opener.open(answer, new Uint8Array(client.opener.room(answer.length)))
    if (!client.opener.answered) throw new Error(`handshake ${i} was not answered`)
    spent.client += sent - started + (performance.now() - answered)
    spent.server += answered - sent
    if (i % perSecond === perSecond - 1) server.clock.advance(1000)
  }
  expect(server.replay.size).toBe(121 * perSecond - perSecond)
  expect(server.history.size).toBe(181 * perSecond - perSecond)
  server.clock.advance(241_000)
  expect([server.replay.size, server.history.size]).toEqual([0, 0])
  const each = (ms: number) => ((ms * 1000) / handshakes).toFixed(1)
  console.log(`per handshake: client ${each(spent.client)} µs, server ${each(spent.server)} µs`)
})
