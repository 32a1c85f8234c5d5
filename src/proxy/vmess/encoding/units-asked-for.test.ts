/** A request of packetaddr at the server: it becomes a flow of datagrams, wherever it came in, with the first one's target. */

import { describe, expect, it } from 'vitest'
import { recordingIo } from '../../../../test/support/inbound-io.ts'
import { reading } from '../../../../test/support/udp.ts'
import { testClient, testUser } from '../../../../test/support/vmess-pair.ts'
import { silentLogger } from '../../../core/env.ts'
import { forever } from '../../../core/lifetime.ts'
import { TableKeySearch } from '../../../crypto/key-search/table.ts'
import { memoryPair } from '../../../net/memory/memory.ts'
import { memoryPackets } from '../../../net/memory/memory-packets.ts'
import { streamTarget } from '../../../protocol/packetaddr/unit.ts'
import { ReplayMemory, SessionHistory } from '../../../protocol/vmess/replay.ts'
import { UserDirectory } from '../../../protocol/vmess/users/directory.ts'
import { SearchQueue } from '../../../protocol/vmess/users/search-queue.ts'
import type { VmessUser } from '../../../settings/model.ts'
import { fakeClock, fakeRandom } from '../../../testing/fakes.ts'
import { Associations } from '../../mux/associations.ts'
import { MuxPool } from '../../mux/pool.ts'
import { VmessConn } from '../conn.ts'
import { createVmessInbound } from '../inbound.ts'
import { StreamedUnits } from './streamed-units.ts'

/** A client's stream of a command, and what is behind the server. */
function rig(command: 'tcp' | 'mux') {
  const clock = fakeClock(1_700_000_000_000)
  const user = testUser()
  const now = (run: () => void): void => run()
  const inbound = createVmessInbound({
    associations: new Associations(clock),
    tag: 'in',
    users: new UserDirectory<VmessUser>([user], 'alterId', new TableKeySearch()),
    replay: new ReplayMemory(clock),
    history: new SessionHistory(clock),
    searches: new SearchQueue({ soon: now, later: now }),
    disableInsecureEncryption: false,
    env: { clock, random: fakeRandom(3), log: silentLogger },
  })
  const [client, near] = memoryPair()
  const [far, origin] = memoryPackets()
  const dial = () => {
    throw new Error('nobody asks for a stream')
  }
  const io = recordingIo({ clock, dial, openPackets: () => far })
  void inbound.serve(near, io)
  const session = testClient(user, clock, { command, target: streamTarget })
  const { sealer, opener } = session
  const stream = new VmessConn(client, { sealer, opener, head: session.head() })
  return { clock, stream, origin, io }
}

const first = { host: '192.0.2.1', port: 53 }
const second = { host: '2001:db8::1', port: 5 }

async function exchanged(units: StreamedUnits, { origin, io }: ReturnType<typeof rig>) {
  const [asked, answers] = [reading(origin), reading(units)]
  units.send(Buffer.from('one'), first)
  units.send(Buffer.from('two'), second)
  const got = [await asked(), await asked()]
  origin.send(Buffer.from('back'), second)
  const answer = await answers()
  expect(got.map(({ bytes, from }) => [Buffer.from(bytes).toString(), from])).toEqual([
    ['one', '192.0.2.1:53'],
    ['two', '2001:db8::1:5'],
  ])
  expect([Buffer.from(answer.bytes).toString(), answer.from]).toEqual(['back', '2001:db8::1:5'])
  expect(io.requests).toMatchObject([{ network: 'udp', target: first }])
}

describe('units on a stream, as V2Ray 5 asks for them', () => {
  it('by command 1', async () => {
    const running = rig('tcp')
    await exchanged(new StreamedUnits(running.stream), running)
  })

  it('within Mux.Cool', async () => {
    const running = rig('mux')
    const { clock, stream } = running
    const pool = new MuxPool({
      carriers: { dial: async () => stream },
      env: { clock, log: silentLogger },
      concurrency: 8,
    })
    const conn = await pool.dial(streamTarget, { until: forever })
    await exchanged(new StreamedUnits(conn), running)
    pool.close()
  })
})
