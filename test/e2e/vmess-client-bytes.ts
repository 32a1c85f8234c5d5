import type { Address } from '../../src/core/address.ts'
import { systemRandom } from '../../src/crypto/random.ts'
import { ClientSession } from '../../src/protocol/vmess/client.ts'
import { parseId } from '../../src/protocol/vmess/users/identity.ts'
import { testId } from '../interop/rig/configs.ts'

/**
 * What a VMess client of ours sends first: its header and `payload`. A client whose clock is wrong, or whose id is, cannot
 * be had from the command line.
 */
export function vmessClientBytes(
  target: Address,
  payload: Uint8Array,
  { id = testId, clockOffsetS = 0 }: { id?: string; clockOffsetS?: number } = {},
): Buffer {
  const session = new ClientSession({
    user: { id: parseId(id), alterId: 0 },
    experiments: { authenticatedLength: false, noTerminationSignal: false },
    security: 'aes-128-gcm',
    command: 'tcp',
    target,
    clock: { now: () => Date.now() + clockOffsetS * 1000 },
    random: systemRandom,
  })
  const body = new Uint8Array(session.sealer.maxSealed(payload.length))
  const length = session.sealer.seal(payload, body, 0)
  return Buffer.concat([session.head(), body.subarray(0, length)])
}
