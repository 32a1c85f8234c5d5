import type { FlowView } from '../../../src/routing/flow-view.ts'
import { GeoLists } from '../../../src/routing/geo/lists.ts'
import { Router } from '../../../src/routing/router.ts'
import type { RoutingRule } from '../../../src/settings/routing.ts'
import type { Step } from './step.ts'

const rules = 200
const namesEach = 100

/** A rule for each of many sets of names, and flows that the first takes, the last, and none. */
export function routing(): Step[] {
  const domain = (value: string) => ({ kind: 'domain', value }) as const
  const router = new Router(
    {
      domainStrategy: 'AsIs',
      normalizeTrailingDot: false,
      rules: Array.from({ length: rules }, (_, i): RoutingRule => {
        const domains = Array.from({ length: namesEach }, (_, n) => domain(`site-${n}.list-${i}.example`))
        return { at: '', ruleTag: '', outboundTag: 'direct', domains, networks: ['tcp'] }
      }),
    },
    { lists: new GeoLists(() => 'none') },
  )
  const to = (host: string): FlowView => ({
    network: 'tcp',
    host,
    port: 443,
    sourceHost: '192.0.2.1',
    sourcePort: 40_000,
    localHost: '192.0.2.2',
    localPort: 443,
    user: 'someone@example.com',
    inboundTag: 'in',
    protocol: '',
  })
  const resolve = () => Promise.resolve([])
  const hosts = {
    'the first': 'www.site-1.list-0.example',
    'the last': `www.site-1.list-${rules - 1}.example`,
    none: 'www.elsewhere.example',
    'none, an address': '192.0.2.3',
  }
  return Object.entries(hosts).map(([which, host]) => {
    const flow = to(host)
    return {
      at: 'routing/router',
      what: `${rules} rules of ${namesEach} names, ${which} matches`,
      run: () => router.pick(flow, resolve),
    }
  })
}
