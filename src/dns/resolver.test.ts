import { describe, expect, it } from 'vitest'
import { ProxyError } from '../core/errors.ts'
import type { Resolve } from '../core/ground.ts'
import { forever, Life } from '../core/lifetime.ts'
import { limits } from '../core/limits.ts'
import { type Asked, fakeNameServers, type Said } from '../testing/fake-name-server.ts'
import { type FakeClock, fakeClock, fakeRandom } from '../testing/fakes.ts'
import { Cache } from './cache.ts'
import { createResolver } from './resolver.ts'
import type { SystemFiles } from './system-names.ts'

interface Options extends Partial<SystemFiles> {
  readonly answer?: (asked: Asked) => Said | readonly Said[] | undefined
  readonly fallback?: Resolve
}

const noSystem: Resolve = async (host) => {
  throw new Error(`the system's resolver was asked for ${host}`)
}

function resolver({ answer = () => undefined, fallback = noSystem, ...over }: Options = {}) {
  const clock = fakeClock(0)
  const servers = fakeNameServers(answer)
  let files: SystemFiles = {
    resolvConf: 'nameserver 192.0.2.53',
    hosts: '',
    nsswitch: undefined,
    system: 'plain',
    ...over,
  }
  const resolve = createResolver({
    udp: servers.udp,
    tcp: servers.tcp,
    clock,
    random: fakeRandom(1),
    files: () => files,
    system: fallback,
  })
  const change = (changed: Partial<SystemFiles>): void => {
    files = { ...files, ...changed }
  }
  return { resolve, clock, servers, change }
}

/** Lets everything happen that needs no time, then moves the clock, as often as it takes. */
async function passing<T>(clock: FakeClock, work: Promise<T>, stepMs = 250): Promise<T> {
  let settled = false
  work.then(
    () => (settled = true),
    () => (settled = true),
  )
  for (let i = 0; i < 2_000 && !settled; i++) {
    for (let turn = 0; turn < 30; turn++) await Promise.resolve()
    if (!settled) clock.advance(stepMs)
  }
  return work
}

const quiet = async (): Promise<void> => {
  for (let turn = 0; turn < 60; turn++) await Promise.resolve()
}

const a = (name: string, data: string, ttl = 60) => ({ type: 'A' as const, name, ttl, data })
const aaaa = (name: string, data: string, ttl = 60) => ({ type: 'AAAA' as const, name, ttl, data })
const cname = (name: string, data: string, ttl = 60) => ({ type: 'CNAME' as const, name, ttl, data })
const soa = (ttl: number, minimum: number) => ({
  type: 'SOA' as const,
  name: 'test',
  ttl,
  data: { mname: 'ns.test', rname: 'a.test', serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
})

/** Both families of every name that is listed; what is not, does not exist. */
const zone =
  (names: Record<string, readonly string[]>) =>
  ({ name, type }: Asked): Said => {
    const listed = names[name.toLowerCase()]
    if (!listed) return { rcode: 3, authorities: [soa(30, 20)] }
    const ofType = listed.filter((host) => host.includes(':') === (type === 'AAAA'))
    return { answers: ofType.map((host) => (type === 'A' ? a(name, host) : aaaa(name, host))) }
  }

const failed = { code: 'DNS_FAILED' }

describe('without a name server', () => {
  it.each([
    ['192.0.2.1', 0, ['192.0.2.1']],
    ['192.0.2.1', 6, []],
    ['2001:db8::1', 0, ['2001:db8::1']],
    ['fe80::1%eth0', 6, ['fe80::1%eth0']],
    ['localhost', 0, ['::1', '127.0.0.1']],
    ['LocalHost.', 4, ['127.0.0.1']],
    ['deep.down.localhost', 6, ['::1']],
    ['printer', 0, ['192.0.2.9', '2001:db8::9']],
    ['PRINTER.example.test', 4, ['192.0.2.9']],
  ] as const)('%s (%s) is %j', async (host, family, addresses) => {
    const hosts = '192.0.2.9 printer printer.example.test # a comment\n2001:db8:0::9\tprinter\nnonsense here\n'
    const { resolve, servers } = resolver({ hosts })
    await expect(resolve(host, family, forever)).resolves.toEqual(addresses)
    expect(servers.asked).toEqual([])
  })

  it('takes localhost from the hosts file, but only what is loopback', async () => {
    const { resolve, change } = resolver({ hosts: '127.0.0.1 localhost' })
    await expect(resolve('localhost', 0, forever)).resolves.toEqual(['127.0.0.1'])
    change({ hosts: '192.0.2.1 localhost' })
    await expect(resolve('localhost', 0, forever)).resolves.toEqual(['::1', '127.0.0.1'])
  })

  it.each([
    '',
    'a..b',
    `${'x'.repeat(64)}.test`,
    'two words',
    'hidden.onion',
    'no.invalid',
    '127.1',
    '0x7f000001',
    '2130706433',
  ])('refuses %j without asking anybody', async (host) => {
    const { resolve, servers } = resolver({ nsswitch: 'hosts: files wins dns' })
    await expect(resolve(host, 0, forever)).rejects.toMatchObject(failed)
    expect(servers.asked).toEqual([])
  })
})

describe('a name server', () => {
  it('is asked for both families at once, each from a socket of its own', async () => {
    const { resolve, servers } = resolver({ answer: zone({ 'both.test': ['2001:db8::1', '192.0.2.1'] }) })
    await expect(resolve('Both.Test', 0, forever)).resolves.toEqual(['2001:db8::1', '192.0.2.1'])
    expect(servers.asked.map(({ type, socket }) => [type, socket])).toEqual([
      ['AAAA', 0],
      ['A', 1],
    ])
    expect(servers.asked[0]!.id).not.toBe(servers.asked[1]!.id)
    expect(servers.open).toBe(0)
  })

  it('may answer with aliases; only addresses at their end count', async () => {
    const answers = [
      a('other.test', '192.0.2.66'),
      a('end.test', '192.0.2.1'),
      cname('mid.test', 'END.test'),
      cname('www.test', 'mid.test'),
    ]
    const { resolve } = resolver({ answer: () => ({ answers }) })
    await expect(resolve('www.test', 4, forever)).resolves.toEqual(['192.0.2.1'])
  })

  it('is not believed with another id, question, or from another address', async () => {
    const { resolve } = resolver({
      answer: ({ name, id }) => [
        { id: id ^ 1, answers: [a(name, '192.0.2.66')] },
        { questions: [{ type: 'A', name: 'other.test' }], answers: [a(name, '192.0.2.67')] },
        { questions: [{ type: 'AAAA', name }], answers: [a(name, '192.0.2.68')] },
        { from: { host: '192.0.2.54', port: 53 }, answers: [a(name, '192.0.2.69')] },
        { from: { host: '192.0.2.53', port: 54 }, answers: [a(name, '192.0.2.70')] },
        { answers: [a(name, '192.0.2.1')] },
      ],
    })
    await expect(resolve('true.test', 4, forever)).resolves.toEqual(['192.0.2.1'])
  })

  it('is asked over TCP where the answer did not fit', async () => {
    const many = Array.from({ length: 100 }, (_, i) => a('many.test', `192.0.2.${i}`))
    const { resolve, servers } = resolver({
      answer: ({ carrier }) => (carrier === 'udp' ? { flags: 1 << 9, answers: many.slice(0, 3) } : { answers: many }),
    })
    await expect(resolve('many.test', 4, forever)).resolves.toHaveLength(limits.dnsAddresses)
    expect(servers.asked.map(({ carrier }) => carrier)).toEqual(['udp', 'tcp'])
  })

  it('that refuses EDNS is asked without, from then on', async () => {
    const { resolve, servers } = resolver({
      answer: ({ edns, name }) => (edns ? { rcode: 1, questions: [] } : { answers: [a(name, '192.0.2.1')] }),
    })
    await expect(resolve('one.test', 4, forever)).resolves.toEqual(['192.0.2.1'])
    await expect(resolve('two.test', 4, forever)).resolves.toEqual(['192.0.2.1'])
    expect(servers.asked.map(({ edns }) => edns)).toEqual([true, false, false])
  })

  it('that never sees queries with EDNS is asked without in the second attempt, and from then on', async () => {
    const { resolve, servers, clock } = resolver({
      answer: ({ edns, name }) => (edns ? undefined : { answers: [a(name, '192.0.2.1')] }),
    })
    await expect(passing(clock, resolve('one.test', 4, forever))).resolves.toEqual(['192.0.2.1'])
    await expect(resolve('two.test', 4, forever)).resolves.toEqual(['192.0.2.1'])
    expect(servers.asked.map(({ edns }) => edns)).toEqual([true, false, false])
  })

  it('that answers for one family only does not hold the other up for long', async () => {
    const { resolve, clock } = resolver({
      answer: ({ type, name }) => (type === 'A' ? { answers: [a(name, '192.0.2.1')] } : undefined),
    })
    await expect(passing(clock, resolve('v4.test', 0, forever))).resolves.toEqual(['192.0.2.1'])
    expect(clock.now()).toBe(limits.dnsOtherFamilyMs)
  })
})

describe('several name servers', () => {
  const resolvConf = 'nameserver 192.0.2.1\nnameserver 192.0.2.2\noptions timeout:2 attempts:2'

  it('are asked in turn, as often and as long as resolv.conf says', async () => {
    const { resolve, servers, clock } = resolver({ resolvConf })
    await expect(passing(clock, resolve('dead.test', 4, forever))).rejects.toMatchObject({
      ...failed,
      message:
        'cannot resolve dead.test: name server 192.0.2.1:53: no answer within 2 s; name server 192.0.2.2:53: no answer within 2 s',
    })
    expect(clock.now()).toBe(8_000)
    expect(servers.asked.map(({ server }) => server.at(-1))).toEqual(['1', '2', '1', '2'])
    expect(servers.open).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it('change places for a while when the first says nothing', async () => {
    const answer = ({ server, name }: Asked) =>
      server === '192.0.2.2' ? { answers: [a(name, '192.0.2.9')] } : undefined
    const { resolve, servers, clock } = resolver({ resolvConf, answer })
    await passing(clock, resolve('one.test', 4, forever))
    await resolve('two.test', 4, forever)
    clock.advance(limits.dnsServerRestMs)
    await passing(clock, resolve('three.test', 4, forever))
    expect(servers.asked.map(({ server }) => server.at(-1)).join('')).toBe('12212')
  })

  it('keep their places when the first leaves one name unanswered and answers others', async () => {
    const answer = ({ server, name }: Asked) =>
      name === 'hangs.test' && server === '192.0.2.1' ? undefined : { answers: [a(name, '192.0.2.9')] }
    const { resolve, servers, clock } = resolver({ resolvConf, answer })
    const hangs = resolve('hangs.test', 4, forever)
    await quiet()
    clock.advance(100)
    await resolve('other.test', 4, forever)
    await passing(clock, hangs)
    await resolve('next.test', 4, forever)
    expect(servers.asked.map(({ server, name }) => `${name} ${server.at(-1)}`)).toEqual([
      'hangs.test 1',
      'other.test 1',
      'hangs.test 2',
      'next.test 1',
    ])
  })

  it.each([2, 4, 5])('go on to the next after response code %s', async (rcode) => {
    const answer = ({ server, name }: Asked) =>
      server === '192.0.2.2' ? { answers: [a(name, '192.0.2.9')] } : { rcode }
    const { resolve } = resolver({ resolvConf, answer })
    await expect(resolve('one.test', 4, forever)).resolves.toEqual(['192.0.2.9'])
  })
})

describe('the search list', () => {
  const resolvConf = 'nameserver 192.0.2.53\nsearch a.test b.test\noptions ndots:2'
  const names = {
    'web.b.test': ['192.0.2.2'],
    'db.x.a.test': ['192.0.2.3'],
    'db.x': ['192.0.2.4'],
    'three.dots.x.y': ['192.0.2.5'],
  }

  it.each([
    ['web', ['web.a.test', 'web.b.test'], ['192.0.2.2']],
    ['db.x', ['db.x.a.test'], ['192.0.2.3']],
    ['db.x.', ['db.x'], ['192.0.2.4']],
    ['three.dots.x.y', ['three.dots.x.y'], ['192.0.2.5']],
  ])('of %s is %j', async (host, asked, addresses) => {
    const { resolve, servers } = resolver({ resolvConf, answer: zone(names) })
    await expect(resolve(host, 4, forever)).resolves.toEqual(addresses)
    expect(servers.asked.map(({ name }) => name)).toEqual(asked)
  })

  it('ends for one family at the name that has the other', async () => {
    const { resolve } = resolver({
      resolvConf,
      answer: zone({ 'web.a.test': ['192.0.2.1'], 'web.b.test': ['2001:db8::2'] }),
    })
    await expect(resolve('web', 6, forever)).resolves.toEqual([])
    await expect(resolve('web', 4, forever)).resolves.toEqual(['192.0.2.1'])
  })

  it('passes over a domain whose server fails, but never goes on after the name itself failed', async () => {
    const answer = (asked: Asked) =>
      /a\.test$|^dotted\.x\.y$/.test(asked.name)
        ? { rcode: 2 }
        : zone({ 'web.b.test': ['192.0.2.2'], 'dotted.x.y.b.test': ['192.0.2.66'] })(asked)
    const { resolve } = resolver({ resolvConf, answer })
    await expect(resolve('web', 4, forever)).resolves.toEqual(['192.0.2.2'])
    await expect(resolve('dotted.x.y', 4, forever)).rejects.toMatchObject(failed)
  })
})

describe('the cache', () => {
  it('keeps an answer as long as its shortest record holds', async () => {
    const { resolve, servers, clock } = resolver({
      answer: ({ name }) => ({ answers: [cname(name, 'end.test', 10), a('end.test', '192.0.2.1', 60)] }),
    })
    await resolve('www.test', 4, forever)
    clock.advance(9_999)
    await resolve('WWW.test', 4, forever)
    expect(servers.asked).toHaveLength(1)
    clock.advance(1)
    await resolve('www.test', 4, forever)
    expect(servers.asked).toHaveLength(2)
  })

  it.each([
    ['no such name', { rcode: 3 }],
    ['no such address', {}],
  ])('keeps "%s" as long as its SOA says, and not without one', async (_what, said) => {
    let authorities = [soa(30, 20)]
    const { resolve, servers, clock } = resolver({ answer: () => ({ ...said, authorities }) })
    const ask = () => resolve('gone.test', 4, forever).catch(() => [])
    await ask()
    clock.advance(19_999)
    await ask()
    expect(servers.asked).toHaveLength(1)
    authorities = []
    clock.advance(1)
    await ask()
    await ask()
    expect(servers.asked).toHaveLength(3)
  })

  it('is bounded: the oldest answer goes', () => {
    const cache = new Cache(fakeClock(0))
    const answer = { addresses: [], exists: true, ttlMs: 1 }
    for (let i = 0; i <= limits.dnsCacheEntries; i++) cache.set(`${i}`, answer)
    expect([cache.get('0'), cache.get('1')]).toEqual([undefined, answer])
  })

  it('is forgotten when resolv.conf changes, and the new servers are asked', async () => {
    const { resolve, servers, change } = resolver({ answer: zone({ 'www.test': ['192.0.2.1'] }) })
    await resolve('www.test', 4, forever)
    change({ resolvConf: 'nameserver 2001:db8::53' })
    await resolve('www.test', 4, forever)
    expect(servers.asked.map(({ server }) => server)).toEqual(['192.0.2.53', '2001:db8::53'])
  })
})

describe('many who ask', () => {
  it('share one query per name; who leaves does so at once and for the reason given', async () => {
    const { resolve, servers, clock } = resolver()
    const lives = Array.from({ length: 50 }, () => new Life())
    const asking = lives.map((life) => resolve('hangs.test', 4, life))
    await quiet()
    expect(servers.asked).toHaveLength(1)
    const why = new ProxyError('DIAL_TIMEOUT', 'late')
    const left = asking.map((each) => expect(each).rejects.toBe(why))
    for (const life of lives) life.end(why)
    await Promise.all(left)
    expect(servers.open).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it('do not stop others: the oldest that hangs makes room', async () => {
    const answer = (asked: Asked) =>
      asked.name === 'good.test' ? zone({ 'good.test': ['192.0.2.1'] })(asked) : undefined
    const { resolve, servers } = resolver({ answer })
    const hanging = Array.from({ length: limits.dnsQuestions + 10 }, (_, i) =>
      resolve(`h${i}.test`, 4, forever).catch((error: Error) => error.message),
    )
    await quiet()
    expect(servers.open).toBe(limits.dnsQuestions)
    await expect(resolve('good.test', 4, forever)).resolves.toEqual(['192.0.2.1'])
    await expect(hanging[0]).resolves.toContain('too many names')
  })
})

describe("the system's resolver", () => {
  const fallback: Resolve = async (host) => [`198.51.100.${host.length}`]

  it.each([
    ['files dns', 'box', undefined],
    ['files dns', 'box.local', undefined],
    ['files mdns4_minimal [NOTFOUND=return] dns', 'box.local', '198.51.100.9'],
    ['files mdns4_minimal [NOTFOUND=return] dns', 'box', '198.51.100.3'],
    ['files mdns4_minimal [NOTFOUND=return] dns', 'no.such.test', undefined],
    ['files dns wins', 'no.such.test', '198.51.100.12'],
    ['files resolve [!UNAVAIL=return] dns myhostname', 'known.test', '192.0.2.1'],
  ])('with "%s" %s is %s', async (sources, host, address) => {
    const { resolve } = resolver({
      nsswitch: `# x\nhosts: ${sources}\n`,
      fallback,
      answer: zone({ 'known.test': ['192.0.2.1'] }),
    })
    const found = resolve(host, 4, forever)
    if (address === undefined) await expect(found).rejects.toMatchObject(failed)
    else await expect(found).resolves.toEqual([address])
  })

  it('is asked for one name at a time; the others wait no longer than their own time, and none forever', async () => {
    const asked: string[] = []
    const hang: Resolve = (host, _family, until) =>
      new Promise((_resolve, reject) => {
        asked.push(host)
        until.onGone(reject)
      })
    const { resolve, clock } = resolver({ nsswitch: 'hosts: files mdns dns', fallback: hang })
    const first = resolve('one.local', 4, forever).catch((error: Error) => error.message)
    const life = new Life()
    const second = resolve('two.local', 4, life).catch((error: Error) => error.message)
    const third = resolve('three.local', 4, forever).catch((error: Error) => error.message)
    await quiet()
    life.end(new Error('left'))
    await expect(second).resolves.toBe('left')
    expect(asked).toEqual(['one.local'])
    await expect(passing(clock, first)).resolves.toContain('did not answer')
    await expect(passing(clock, third)).resolves.toContain('did not answer')
    expect(asked).toEqual(['one.local', 'three.local'])
  })

  it('is asked once for both families of a name', async () => {
    let asked = 0
    const both: Resolve = async () => {
      asked++
      return ['2001:db8::7', '192.0.2.7']
    }
    const { resolve } = resolver({ nsswitch: 'hosts: files mdns dns', fallback: both })
    const found = Promise.all([resolve('box.local', 6, forever), resolve('box.local', 4, forever)])
    await expect(found).resolves.toEqual([['2001:db8::7'], ['192.0.2.7']])
    expect(asked).toBe(1)
  })

  it('has a queue that is bounded', async () => {
    const hang: Resolve = () => new Promise(() => {})
    const { resolve } = resolver({ nsswitch: 'hosts: files mdns dns', fallback: hang })
    const life = new Life()
    const waiting = Array.from({ length: limits.systemLookups }, (_, i) => resolve(`h${i}.local`, 4, life))
    await expect(resolve('more.local', 4, life)).rejects.toMatchObject(failed)
    life.end(new Error('left'))
    await Promise.allSettled(waiting)
  })
})
