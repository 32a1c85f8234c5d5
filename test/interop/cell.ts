import { type PairSpec, withPair } from './pair.ts'
import type { SocksTarget } from './socks-client.ts'
import { checkTraffic } from './traffic.ts'

/** V2Ray's words for a connection that its replay filter has refused. */
const replayRefused = /replayed request/

/** True when the cell passed at its second try, after V2Ray's replay filter had refused an honest client. */
export async function runCell(spec: PairSpec, target: SocksTarget): Promise<boolean> {
  let refusedHonest = false
  const attempt = () =>
    withPair(spec, async (pair) => {
      try {
        await checkTraffic((name) => pair.open(target, { name }))
      } catch (error) {
        // V2Ray writes its refusal when the connection ends, and that may be a moment after our own end of it.
        refusedHonest =
          spec.server === 'v2ray' &&
          (await pair.server.logged(replayRefused, 2_000).then(
            () => true,
            () => false,
          ))
        throw error
      }
    })
  try {
    await attempt()
    return false
  } catch (error) {
    if (!refusedHonest) throw error
    await attempt()
    return true
  }
}
