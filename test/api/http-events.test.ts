import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EventStreams } from '../../src/api/http/events.ts'
import type { Sample, Traffic } from '../../src/api/http/traffic.ts'
import { limits } from '../../src/core/limits.ts'
import { type Json, session, sessionView, startApi, type TestApi, token, userView } from './http-tools.ts'

let api: TestApi
let closed: boolean
beforeEach(async () => {
  api = await startApi()
  closed = false
})
afterEach(async () => {
  if (!closed) await api.close()
})

interface Reader {
  readonly events: { event: string; data: Json }[]
  readonly status: number
  text: string
  ended: boolean
  stop(): Promise<void>
}

async function listen(query = ''): Promise<Reader> {
  const answer = await fetch(`${api.url}/v1/events${query}`, { headers: { authorization: `Bearer ${token}` } })
  expect(answer.headers.get('content-type')).toContain(answer.ok ? 'text/event-stream' : 'json')
  const body = answer.body!.getReader()
  const reader: Reader = { events: [], status: answer.status, text: '', ended: false, stop: () => body.cancel() }
  let rest = ''
  const pump = async () => {
    for (;;) {
      const { done, value } = await body.read()
      if (done) break
      const text = new TextDecoder().decode(value)
      reader.text += text
      const blocks = (rest + text).split('\n\n')
      rest = blocks.pop()!
      for (const block of blocks) {
        const match = /^event: (\w+)\ndata: (.*)$/.exec(block)
        if (match) reader.events.push({ event: match[1]!, data: JSON.parse(match[2]!) })
      }
    }
    reader.ended = true
  }
  pump().catch(() => {})
  return reader
}

/** Lets seconds pass, each after the figures of the one before were read. */
async function seconds(count: number, reader: Reader): Promise<void> {
  for (let i = 0; i < count; i++) {
    const before = reader.events.length
    api.clock.advance(1000)
    await eventually(() => reader.events.length).toBe(before + 1)
  }
}

const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 10_000, interval: 5 })

describe('session events', () => {
  it('tell the life of a session, and who was refused', async () => {
    const reader = await listen()
    const { control } = api
    const totals = { uplink: 5, downlink: 7 }
    control.tell({ type: 'opened', session: session(1) })
    control.tell({ type: 'routed', session: session(1) })
    control.tell({ type: 'closed', session: session(1), totals, reason: '' })
    control.tell({ type: 'failed', session: session(2), reason: 'DIAL_REFUSED' })
    control.tell({ type: 'refused', inbound: 'in', source: '1.2.3.4:5', email: '', reason: 'VMESS_UNKNOWN_USER' })
    await eventually(() => reader.events.length).toBe(5)
    const time = '2026-03-01T12:00:00.000Z'
    expect(reader.events.map(({ event }) => event)).toEqual(Array(5).fill('session'))
    expect(reader.events.map(({ data }) => data)).toMatchObject([
      { type: 'opened', time, id: 1, inbound: 'in', email: 'love@example.com', target: 'example.com:443' },
      { type: 'routed', outbound: 'direct' },
      { type: 'closed', totals },
      { type: 'failed', id: 2, reason: 'DIAL_REFUSED' },
      { type: 'refused', time, inbound: 'in', source: '1.2.3.4:5', email: '', reason: 'VMESS_UNKNOWN_USER' },
    ])
    expect(reader.events[2]!.data).not.toHaveProperty('reason')
  })
})

describe('figures', () => {
  it('come every second, with what passed in it', async () => {
    const { control, clock } = api
    control.people.set('love@example.com', userView('love@example.com', { used: { uplink: 300, downlink: 9000 } }))
    control.live.set(1, sessionView(1, { totals: { uplink: 100, downlink: 1000 } }))
    control.live.set(2, sessionView(2, { email: '' }))
    const reader = await listen()
    control.live.set(1, sessionView(1, { totals: { uplink: 300, downlink: 9000 } }))
    control.live.set(3, sessionView(3, { email: 'b', totals: { uplink: 1, downlink: 2 } }))
    clock.advance(1000)
    await eventually(() => reader.events.length).toBe(1)
    expect(reader.events[0]).toEqual({
      event: 'figures',
      data: {
        time: '2026-03-01T12:00:01.000Z',
        connections: 3,
        sessions: 3,
        totals: { uplink: 301, downlink: 9002 },
        speed: { uplink: 201, downlink: 8002 },
        users: [
          {
            email: 'love@example.com',
            used: { uplink: 300, downlink: 9000 },
            speed: { uplink: 200, downlink: 8000 },
            sessions: 1,
          },
          { email: '', used: { uplink: 0, downlink: 0 }, speed: { uplink: 0, downlink: 0 }, sessions: 1 },
          { email: 'b', used: { uplink: 0, downlink: 0 }, speed: { uplink: 1, downlink: 2 }, sessions: 1 },
        ],
      },
    })
    await seconds(3, reader)
    expect(reader.events).toHaveLength(4)
    expect(reader.events[3]!.data.speed).toEqual({ uplink: 0, downlink: 0 })
  })

  it('count what a session carried in its last second, and keep it in the totals', async () => {
    const { control, clock } = api
    control.live.set(1, sessionView(1, { totals: { uplink: 0, downlink: 100 } }))
    const reader = await listen()
    control.live.delete(1)
    control.tell({ type: 'closed', session: session(1), totals: { uplink: 0, downlink: 700 }, reason: '' })
    clock.advance(1000)
    await eventually(() => reader.events.length).toBe(2)
    expect(reader.events[1]!.data).toMatchObject({
      totals: { uplink: 0, downlink: 700 },
      speed: { uplink: 0, downlink: 600 },
      users: [{ email: 'love@example.com', speed: { uplink: 0, downlink: 600 }, sessions: 0 }],
    })
    clock.advance(1000)
    await eventually(() => reader.events.length).toBe(3)
    expect(reader.events[2]!.data).toMatchObject({ totals: { downlink: 700 }, speed: { downlink: 0 }, users: [] })
  })

  it('list the live sessions when asked to, the newest of very many', async () => {
    const { control, clock } = api
    for (let id = 1; id <= limits.controlListedSessions + 5; id++) control.live.set(id, sessionView(id))
    const [plain, full] = [await listen('?sessions=false'), await listen('?sessions=true')]
    control.live.set(1005, sessionView(1005, { totals: { uplink: 9, downlink: 4 } }))
    clock.advance(1000)
    await eventually(() => [plain.events.length, full.events.length]).toEqual([1, 1])
    expect(plain.events[0]!.data).not.toHaveProperty('live')
    const { live, more } = full.events[0]!.data
    expect(more).toBe(5)
    expect(live).toHaveLength(limits.controlListedSessions)
    expect(live.at(-1)).toMatchObject({ id: 1005, totals: { uplink: 9 }, speed: { uplink: 9, downlink: 4 } })
    expect((await listen('?sessions=yes')).status).toBe(400)
  })

  it('are kept alive by comments', async () => {
    const reader = await listen()
    await seconds(15, reader)
    await eventually(() => reader.text).toContain('\n: alive\n\n')
    expect(reader.text).toMatch(/^retry: \d+\n\n/)
  })
})

describe('streams', () => {
  it('leave nothing behind when the last reader goes', async () => {
    const idle = api.control.watchers.size
    const readers = [await listen(), await listen()]
    expect(api.control.watchers.size).toBe(idle + 1)
    expect(api.clock.pending).toBe(1)
    for (const reader of readers) await reader.stop()
    await eventually(() => [api.control.watchers.size, api.clock.pending]).toEqual([idle, 0])
  })

  it('are bounded in number', async () => {
    const readers = await Promise.all(Array.from({ length: limits.controlStreams }, () => listen()))
    expect(new Set(readers.map(({ status }) => status))).toEqual(new Set([200]))
    expect((await listen()).status).toBe(503)
    await readers[0]!.stop()
    await eventually(async () => {
      const reader = await listen()
      return reader.status
    }).toBe(200)
  })

  it('are not opened by a HEAD request', async () => {
    const answer = await fetch(`${api.url}/v1/events`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${token}` },
    })
    expect(answer.status).toBe(200)
    expect(api.clock.pending).toBe(0)
  })

  it('lose events of a slow reader instead of keeping them, and say how many', async () => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
    let text = ''
    socket.on('data', (data) => {
      text += data
    })
    socket.on('error', () => {})
    socket.write(`GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    await eventually(() => text).toContain('retry:')
    socket.pause()
    const large = session(1, 'x'.repeat(10_000))
    const sent = 4000
    for (let i = 0; i < sent; i++) {
      api.control.tell({ type: 'opened', session: large })
      // Gives the socket time to fill.
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    socket.resume()
    await eventually(() => {
      api.control.tell({ type: 'opened', session: session(2) })
      return text
    }).toContain('event: lost')
    const lost = [...text.matchAll(/event: lost\ndata: \{"events":(\d+)\}/g)].reduce((sum, m) => sum + Number(m[1]), 0)
    expect(lost).toBeGreaterThan(100)
    expect(text.length).toBeLessThan(sent * 10_000)
    socket.destroy()
  })
})

it('a heartbeat for which there is no room is no event that was lost', async () => {
  const { control, clock } = api
  const ticks: ((sample: Sample) => Promise<void>)[] = []
  const traffic = {
    async watch(listener: (sample: Sample) => Promise<void>) {
      ticks.push(listener)
      return () => {}
    },
  } as unknown as Traffic
  const streams = new EventStreams(control, traffic, clock)
  const reader = (await streams.open(false))!.getReader()
  const figures = { uplink: 0, downlink: 0 }
  const sample = { at: 0, sessions: [], speeds: new Map(), totals: figures, speed: figures, users: new Map() }
  const filler = 'x'.repeat(limits.controlStreamBuffer)
  for (let i = 0; i < 14; i++) await ticks[0]!(sample)
  control.tell({ type: 'refused', inbound: filler, source: '', email: '', reason: '' })
  // The fifteenth: its figures are lost, and no heartbeat with them.
  await ticks[0]!(sample)
  let text = ''
  const read = async () => {
    const { value } = await reader.read()
    text += new TextDecoder().decode(value)
  }
  while (!text.includes('"refused"')) await read()
  await ticks[0]!(sample)
  while (!text.includes('event: lost')) await read()
  expect(text).toContain('event: lost\ndata: {"events":1}')
  expect(text).not.toContain(': alive')
  await reader.cancel()
})

describe('close()', () => {
  it('ends open streams and leaves neither timer nor watcher', async () => {
    const reader = await listen()
    await api.call('GET', '/v1/sessions')
    closed = true
    await api.close()
    await eventually(() => reader.ended).toBe(true)
    expect(api.clock.pending).toBe(0)
    expect(api.control.watchers.size).toBe(0)
    await expect(fetch(`${api.url}/health`)).rejects.toThrow()
    await api.close()
  })

  it('waits for a request, but not for long', async () => {
    let finish: (() => void) | undefined
    const { reload } = api.control
    api.control.reload = () =>
      new Promise((resolve) => {
        finish = () => resolve(reload())
      })
    const first = api.call('POST', '/v1/reload')
    await eventually(() => finish).toBeDefined()
    closed = true
    const closing = api.close()
    finish?.()
    expect((await first).status).toBe(200)
    await closing
  })

  it('cuts a request that does not finish', async () => {
    let asked = false
    api.control.reload = () => {
      asked = true
      return new Promise(() => {})
    }
    const stuck = api.call('POST', '/v1/reload').catch(() => 'cut')
    await eventually(() => asked).toBe(true)
    closed = true
    const closing = api.close()
    api.clock.advance(limits.lingerMs)
    await closing
    expect(await stuck).toBe('cut')
  })
})
