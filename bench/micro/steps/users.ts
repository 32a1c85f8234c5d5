import { systemRandom } from '../../../src/crypto/random.ts'
import { authIdSealer, sealAuthId } from '../../../src/protocol/vmess/header/auth-id.ts'
import { UserDirectory } from '../../../src/protocol/vmess/users/directory.ts'
import { commandKey } from '../../../src/protocol/vmess/users/identity.ts'
import type { Step } from './step.ts'

/** Who sent an authentication: each time another user, none of whom was seen lately. And a stranger, whom all keys are tried for. */
export const users = (): Step[] => [1, 100, 10_000].flatMap((count) => searches(count))

function searches(count: number): Step[] {
  const all = Array.from({ length: count }, (_, i) => ({
    id: idOf(i),
    alterId: 0,
    email: '',
    level: 0,
    experiments: { authenticatedLength: false, noTerminationSignal: false },
  }))
  const directory = new UserDirectory(all)
  const now = Date.now()
  const auths = Array.from({ length: Math.min(count, 256) }, () => {
    const { id } = all[systemRandom.below(count)]!
    return sealAuthId(authIdSealer(commandKey(id)), Math.floor(now / 1_000), systemRandom.fill(new Uint8Array(4)))
  })
  const stranger = systemRandom.fill(new Uint8Array(16))
  let next = 0
  const at = 'protocol/vmess/users'
  return [
    { at, what: `random one of ${count}`, run: () => directory.match(auths[next++ % auths.length]!, now)!.user },
    { at, what: `stranger to ${count}`, run: () => directory.match(stranger, now) },
  ]
}

function idOf(index: number): Uint8Array {
  const id = systemRandom.fill(new Uint8Array(16))
  new DataView(id.buffer).setUint32(0, index)
  return id
}
