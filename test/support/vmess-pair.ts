import type { BodyOpener, BodySealer } from '../../src/protocol/vmess/body/body.ts'
import { ClientSession, type ClientSessionOptions } from '../../src/protocol/vmess/client.ts'
import { ReplayMemory, SessionHistory } from '../../src/protocol/vmess/replay.ts'
import { ServerSession } from '../../src/protocol/vmess/server.ts'
import type { ServerRequest } from '../../src/protocol/vmess/server-request.ts'
import { UserDirectory, type VmessIdentity } from '../../src/protocol/vmess/users/directory.ts'
import { parseId } from '../../src/protocol/vmess/users/identity.ts'
import type { FakeClock } from '../../src/testing/fakes.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import { concat } from './vectors.ts'

export const startMs = 1_700_000_000_000
export const testUuid = 'b831381d-6324-4d53-ad4f-8cda48b30811'

export const testUser = (alterId = 0, change: Partial<VmessIdentity> = {}): VmessIdentity => ({
  id: parseId(testUuid),
  alterId,
  email: 'love@example.com',
  level: 0,
  experiments: { authenticatedLength: false, noTerminationSignal: false },
  ...change,
})

export interface TestServer {
  readonly clock: FakeClock
  readonly users: UserDirectory
  readonly replay: ReplayMemory
  readonly history: SessionHistory
  accept(disableInsecureEncryption?: boolean): ServerSession
}

/** What the sessions of one inbound share, under a clock that stands still. */
export function testServer(
  users: readonly VmessIdentity[],
  clock = fakeClock(startMs),
  random = fakeRandom(77),
): TestServer {
  const shared = {
    clock,
    users: new UserDirectory(users),
    replay: new ReplayMemory(clock),
    history: new SessionHistory(clock),
  }
  return {
    ...shared,
    accept: (disableInsecureEncryption = false) => new ServerSession({ ...shared, random, disableInsecureEncryption }),
  }
}

const clientRandom = fakeRandom(4711)

export const testClient = (user: VmessIdentity, clock: FakeClock, change: Partial<ClientSessionOptions> = {}) =>
  new ClientSession({
    user,
    security: 'aes-128-gcm',
    command: 'tcp',
    target: { host: 'example.com', port: 443 },
    experiments: user.experiments,
    clock,
    random: clientRandom,
    ...change,
  })

/** Everything the sealer makes of these writes, in one piece; with the terminator if `finish`. */
export function sealAll(sealer: BodySealer, writes: readonly Uint8Array[], finish = true): Uint8Array {
  const pieces = writes.map((plain) => {
    const into = new Uint8Array(sealer.maxSealed(plain.length))
    return into.subarray(0, sealer.seal(plain, into, 0))
  })
  const last = new Uint8Array(sealer.maxSealed(0))
  return concat(...pieces, last.subarray(0, finish ? sealer.finish(last, 0) : 0))
}

/** Everything the opener makes of these batches. The batches are overwritten afterwards, as lent memory is. */
export function openAll(opener: BodyOpener, batches: readonly Uint8Array[]): Uint8Array {
  const pieces: Uint8Array[] = []
  for (const batch of batches) {
    const lent = batch.slice()
    const into = new Uint8Array(opener.room(lent.length))
    pieces.push(into.subarray(0, opener.open(lent, into)))
    lent.fill(0xee)
  }
  return concat(...pieces)
}

/** Pushes the pieces until the request is there. */
export function pushAll<U extends VmessIdentity>(session: ServerSession<U>, pieces: readonly Uint8Array[]) {
  let request: ServerRequest<U> | undefined
  const behind: Uint8Array[] = []
  for (const piece of pieces) {
    if (request) behind.push(piece)
    else {
      request = session.push(piece.slice())
      if (request) behind.push(request.rest)
    }
  }
  return { request, behind }
}

export const cutAt = (bytes: Uint8Array, ...places: readonly number[]): Uint8Array[] =>
  [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length))

export const bytewise = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))
