import { systemRandom } from '../../../src/crypto/random.ts'
import { ClientSession } from '../../../src/protocol/vmess/client.ts'
import { sealAuthId } from '../../../src/protocol/vmess/header/auth-id.ts'
import { kdf } from '../../../src/protocol/vmess/header/kdf.ts'
import { decodeRequest, encodeRequest, type RequestHeader } from '../../../src/protocol/vmess/header/request.ts'
import { openRequest, sealRequest } from '../../../src/protocol/vmess/header/request-seal.ts'
import { ReplayMemory, SessionHistory } from '../../../src/protocol/vmess/replay.ts'
import { ServerSession } from '../../../src/protocol/vmess/server.ts'
import { UserDirectory } from '../../../src/protocol/vmess/users/directory.ts'
import { userKeys } from '../../../src/protocol/vmess/users/user-keys.ts'
import { decodePortFirst, encodePortFirst } from '../../../src/protocol/wire/port-first.ts'
import type { Step } from './step.ts'

const clock = { now: () => Date.now() }
const random = systemRandom
const bytes = (length: number): Uint8Array => random.fill(new Uint8Array(length))
const vmess = 'protocol/vmess'

/** The key derivation, the header in both directions, both whole sessions, and what is remembered of them. */
export function handshake(): Step[] {
  const user = {
    id: bytes(16),
    alterId: 0,
    email: '',
    level: 0,
    experiments: { authenticatedLength: false, noTerminationSignal: false },
  }
  const { commandKey, sealAuthId: seal } = userKeys(user)
  const [key, iv, nonce] = [bytes(16), bytes(16), bytes(8)]
  const target = { host: 'www.example.com', port: 443 }
  const options = { chunkStream: true, chunkMasking: true, globalPadding: true, authenticatedLength: false }
  const header: RequestHeader = { key, iv, v: 7, options, security: 'aes-128-gcm', command: 'tcp', target }
  const plain = encodeRequest(header, new Uint8Array(8))
  const authId = () => sealAuthId(seal, Math.floor(clock.now() / 1_000), bytes(4))
  const sealed = sealRequest(commandKey, authId(), nonce, plain)
  const address = encodePortFirst(target)
  const session = () =>
    new ClientSession({
      user,
      security: 'aes-128-gcm',
      command: 'tcp',
      target,
      experiments: { authenticatedLength: false, noTerminationSignal: false },
      clock,
      random,
    })
  const shared = {
    users: new UserDirectory([user]),
    replay: new ReplayMemory(clock),
    history: new SessionHistory(clock),
    clock,
    random,
    disableInsecureEncryption: false,
  }
  const memory = new ReplayMemory(clock)
  return [
    { at: `${vmess}/kdf`, what: 'two levels of path', run: () => kdf(key, 'VMess Header AEAD Key', iv, nonce) },
    { at: `${vmess}/auth-id`, what: 'seal', run: authId },
    { at: `${vmess}/request`, what: 'encode', run: () => encodeRequest(header, nonce) },
    { at: `${vmess}/request`, what: 'decode', run: () => decodeRequest(plain) },
    {
      at: `${vmess}/request-seal`,
      what: 'seal',
      run: () => sealRequest(commandKey, sealed.subarray(0, 16), nonce, plain),
    },
    { at: `${vmess}/request-seal`, what: 'open', run: () => openRequest(commandKey, sealed) },
    { at: `${vmess}/client`, what: 'session and its header', run: () => session().head() },
    {
      at: `${vmess}/server`,
      what: 'session of one user (and the client of it)',
      run: () => new ServerSession(shared).push(session().head()),
    },
    {
      at: `${vmess}/replay`,
      what: 'look up and remember',
      run: () => {
        const auth = bytes(16)
        const nowS = Math.floor(clock.now() / 1_000)
        return memory.seen(auth, nowS) || memory.remember(auth, nowS)
      },
    },
    { at: 'protocol/wire/port-first', what: 'encode a name', run: () => encodePortFirst(target) },
    { at: 'protocol/wire/port-first', what: 'decode a name', run: () => decodePortFirst(address) },
  ]
}
