import { type PairSpec, withPair } from './pair.ts'
import { despiteReplayFilter } from './replay-filter.ts'
import type { SocksTarget } from './socks-client.ts'
import { checkTraffic } from './traffic.ts'

/** True when the cell passed at its second try, after V2Ray's replay filter had refused an honest client. */
export function runCell(spec: PairSpec, target: SocksTarget): Promise<boolean> {
  return despiteReplayFilter((guard) =>
    withPair(spec, (pair) => {
      const traffic = () => checkTraffic((name) => pair.open(target, { name }))
      return spec.server === 'v2ray' ? guard(pair.server, traffic) : traffic()
    }),
  )
}
