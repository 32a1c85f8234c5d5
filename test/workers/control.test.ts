/** A server with workers is one server to who controls it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ControlEvent } from '../../src/control/control.ts'
import type { Conn } from '../../src/core/conn.ts'
import { alice, bob, echoes, ended, Rig } from './rig.ts'

const token = 'a-token-of-a-test-that-is-long-enough'
const more = { control: { listen: '127.0.0.1:0', token } }
const cleo = { id: '27848739-7e62-4138-9fd3-098a63964b6d', email: 'cleo@example.com' }
const workers = [1, 2]

let rig: Rig
const open: Conn[] = []
beforeAll(async () => {
  rig = await Rig.start({ clients: [alice, bob], more })
})
afterEach(async () => {
  for (const conn of open.splice(0)) conn.destroy()
  await expect.poll(async () => (await rig.control.status()).connections).toBe(0)
})
afterAll(() => rig.close())

/** One connection in each worker. */
async function both(user = alice): Promise<Conn[]> {
  const conns: Conn[] = []
  for (const worker of workers) conns.push(await rig.open(worker, { id: user.id }))
  open.push(...conns)
  return conns
}

const refusedBy = async (user: { readonly id: string }) => {
  for (const worker of workers) await expect(rig.open(worker, { id: user.id })).rejects.toThrow()
}

describe('what is seen', () => {
  it('is that of all workers', async () => {
    await both()
    await both(bob)
    const { control } = rig
    expect(await control.status()).toMatchObject({ connections: 4, sessions: 4, users: 2, ready: true })
    expect((await control.inbounds())[0]).toMatchObject({ tag: 'in', connections: 4, users: 2 })
    expect(await control.user(alice.email)).toMatchObject({ connections: 2, addresses: ['127.0.0.1'] })
    expect((await control.users()).map(({ connections }) => connections)).toEqual([2, 2])
    const sessions = await control.sessions()
    expect(new Set(sessions.map(({ id }) => id)).size).toBe(4)
    expect(sessions.map(({ email }) => email)).toEqual([alice.email, alice.email, bob.email, bob.email])
  })

  it('comes in pages that follow each other over all workers', async () => {
    await both()
    await both(bob)
    const seen: number[] = []
    let after: number | undefined
    do {
      const page = await rig.control.sessionPage({ limit: 1, ...(after !== undefined && { after }) })
      seen.push(...page.items.map(({ id }) => id))
      after = page.next
    } while (after !== undefined && seen.length < 10)
    expect(seen).toEqual((await rig.control.sessions()).map(({ id }) => id))
    const { items } = await rig.control.sessionPage({ email: bob.email })
    expect(items).toHaveLength(2)
  })

  it('is what the HTTP API and its metrics show', async () => {
    await both()
    const get = async (path: string) =>
      (await fetch(`http://${rig.api}${path}`, { headers: { authorization: `Bearer ${token}` } })).text()
    const metrics = await get('/metrics')
    expect(metrics).toMatch(/^vmess_connections\S* 2$/m)
    expect(metrics).toMatch(/^vmess_sessions\S* 2$/m)
    expect(JSON.parse(await get('/v1/sessions')).sessions).toHaveLength(2)
  })

  it('is told as it happens in each worker', async () => {
    const events: ControlEvent[] = []
    const stop = await rig.control.watch((event) => events.push(event))
    const conns = await both()
    for (const conn of conns) conn.destroy()
    await expect.poll(() => events.filter(({ type }) => type === 'closed')).toHaveLength(2)
    expect(events.filter(({ type }) => type === 'routed')).toHaveLength(2)
    stop()
  })

  it('is counted once, and read and reset without losing a byte', async () => {
    const name = `user>>>${alice.email}>>>traffic>>>uplink`
    await rig.control.readCounters([name], { reset: true })
    const conns = await both()
    let sum = 0
    const read = async () => {
      sum += (await rig.control.readCounters([name], { reset: true }))[0]!.value
    }
    for (let i = 0; i < 20; i++) {
      for (const conn of conns) expect(await echoes(conn)).toBe(true)
      await read()
    }
    await read()
    expect(sum).toBe(40)
  })
})

describe('what is changed', () => {
  it('a user who is added is served by every worker, and one who is removed by none', async () => {
    await rig.control.addUser('in', cleo)
    const conns = await both(cleo)
    for (const conn of conns) expect(await echoes(conn)).toBe(true)
    expect(await rig.control.removeUser(cleo.email)).toBe(2)
    await Promise.all(conns.map(ended))
    await refusedBy(cleo)
    expect(await rig.control.user(cleo.email)).toBeUndefined()
  })

  it('a limit that is set while connections run counts them', async () => {
    const conns = await both()
    await rig.control.changeUser(alice.email, { limits: { connections: 2 } })
    await refusedBy(alice)
    expect(await rig.control.user(alice.email)).toMatchObject({ connections: 2 })
    for (const conn of conns) expect(await echoes(conn)).toBe(true)
    await rig.control.changeUser(alice.email, { limits: { enabled: false } })
    await Promise.all(conns.map(ended))
    await rig.control.changeUser(alice.email, { limits: { enabled: true, connections: null } })
    await both()
  })

  it('sessions are ended wherever they are', async () => {
    const conns = await both()
    const [first] = await rig.control.sessions()
    await rig.control.endSession(first!.id)
    expect(await rig.control.sessions()).toHaveLength(1)
    expect(await rig.control.endSessions(alice.email)).toBe(1)
    await Promise.all(conns.map(ended))
    await expect(rig.control.endSession(first!.id)).rejects.toMatchObject({ code: 'CONTROL_NOT_FOUND' })
  })

  it('a reload holds in every worker, and drops nobody who stays', async () => {
    const conns = await both()
    const theirs = await both(bob)
    await rig.reload({ clients: [alice, cleo], more: { ...more, outbounds: [{ protocol: 'freedom', tag: 'other' }] } })
    await Promise.all(theirs.map(ended))
    await refusedBy(bob)
    for (const conn of [...conns, ...(await both(cleo))]) expect(await echoes(conn)).toBe(true)
    const outbounds = new Set((await rig.control.sessions()).map(({ email, outbound }) => `${email} ${outbound}`))
    expect([...outbounds]).toEqual([`${alice.email} direct`, `${cleo.email} other`])
    await rig.reload({ clients: [alice, bob], more })
    await both(bob)
  })

  it('an inbound and a way out that are added hold in every worker', async () => {
    const { control } = rig
    await control.addInbound({
      tag: 'second',
      listen: '127.0.0.1',
      port: 0,
      protocol: 'vmess',
      settings: { clients: [cleo] },
    })
    const address = rig.launch.instance.inbound('second')!.addresses[0]!
    const conns: Conn[] = []
    for (const worker of workers) conns.push(await rig.open(worker, { id: cleo.id, address }))
    open.push(...conns)
    for (const conn of conns) expect(await echoes(conn)).toBe(true)
    await control.removeInbound('second')
    await Promise.all(conns.map(ended))
    await expect(rig.open(1, { id: cleo.id, address })).rejects.toThrow()
  })

  it('an inbound goes from the workers to one thread and back, at the same address', async () => {
    const { address } = rig
    const { control } = rig
    const inbound = (settings: object) => ({
      more: {
        ...more,
        inbounds: [
          {
            tag: 'in',
            listen: '127.0.0.1',
            port: address.port,
            protocol: 'vmess',
            settings: { clients: [alice], ...settings },
          },
          {
            tag: 'other',
            listen: '127.0.0.1',
            port: '40000-40100',
            protocol: 'vmess',
            allocate: { strategy: 'random' },
          },
        ],
      },
    })
    const perThread = async () => {
      const here = rig.launch.instance.connections
      return [here, (await control.status()).connections - here]
    }
    await rig.reload(inbound({}))
    const conns = [await rig.open(1, { address })]
    await rig.reload(inbound({ detour: { to: 'other' } }))
    conns.push(await rig.open(1, { address }), await rig.open(2, { address }))
    expect(await perThread()).toEqual([2, 1])
    await rig.reload(inbound({}))
    conns.push(await rig.open(1, { address }), await rig.open(2, { address }))
    expect(await perThread()).toEqual([2, 3])
    for (const conn of conns) expect(await echoes(conn)).toBe(true)
    open.push(...conns)
    await rig.reload({ clients: [alice, bob], more })
  })

  it('what would be served by one thread and is not is refused', async () => {
    const { control } = rig
    const { inbounds } = rig.launch.instance
    const inbound = { tag: 'new', listen: '127.0.0.1', protocol: 'vmess', settings: { clients: [cleo] } }
    const detour = { ...inbound, port: 0, settings: { clients: [cleo], detour: { to: 'in' } } }
    await expect(control.addInbound(detour)).rejects.toMatchObject({ code: 'CONTROL_INVALID', message: /"in"/ })
    expect(inbounds).toHaveLength(1)
    const next = { clients: [alice, bob], more: { ...more, observatory: { subjectSelector: ['direct'] } } }
    expect(() => rig.reload(next)).toThrow(/"observatory" cannot be together with several workers/)
  })
})
