import { describe, expect, it } from 'vitest'
import { lossyLink } from '../../../test/support/kcp-link.ts'
import { SegmentReader } from './segment.ts'

const contentOf = (length: number, factor: number) => Uint8Array.from({ length }, (_, i) => (i * factor) >>> 3)

describe('a session', () => {
  it.each([
    1, 2, 3,
  ])('carries 400 KB both ways at once over a loss of five in a hundred and 50 ms (seed %i)', (seed) => {
    const link = lossyLink({ lossPercent: 5, delayMs: 50, seed })
    const [up, down] = [contentOf(400_000, 7), contentOf(400_000, 13)]
    link.a.write(up)
    link.b.write(down)
    link.run(20_000, () => link.b.received.length === up.length && link.a.received.length === down.length)
    expect(Buffer.compare(link.b.bytes(), up)).toBe(0)
    expect(Buffer.compare(link.a.bytes(), down)).toBe(0)
    link.run(2_000)
    expect([link.a.session.delivered, link.b.session.delivered]).toEqual([true, true])
    expect(link.lentOut()).toBe(0)
  })

  it('carries on where order, copies and half of everything get lost', () => {
    const link = lossyLink({ lossPercent: 50, delayMs: 20, jitterMs: 60, copyPercent: 20, seed: 9 })
    const up = contentOf(60_000, 11)
    link.a.write(up)
    link.run(60_000, () => link.b.received.length === up.length)
    expect(Buffer.compare(link.b.bytes(), up)).toBe(0)
  })

  it('sends no more than the window while nobody reads, and goes on when somebody does', () => {
    const link = lossyLink({ lossPercent: 0, delayMs: 10, seed: 1, sizes: { receiveWindow: 16, payload: 100 } })
    link.b.reading = false
    link.a.write(new Uint8Array(100_000))
    link.run(2_000)
    expect(link.b.session.readable).toBe(true)
    expect(link.a.session.unsentBytes).toBeGreaterThan(0)
    const before = link.sent
    link.run(2_000)
    expect(link.sent - before).toBeLessThan(100)
    link.b.reading = true
    link.run(5_000, () => link.b.received.length === 100_000)
    expect(link.b.received.length).toBe(100_000)
  })

  it('says nothing but a ping every five seconds when it rests', () => {
    const link = lossyLink({ lossPercent: 0, delayMs: 10, seed: 1 })
    link.a.write(Uint8Array.of(1))
    link.run(1_000)
    const before = link.sent
    link.run(20_000)
    expect(link.sent - before).toBeLessThanOrEqual(8)
    expect(link.sent - before).toBeGreaterThanOrEqual(6)
  })

  it('ends in order: what was written arrives, then the peer is told, and both are over', () => {
    const link = lossyLink({ lossPercent: 20, delayMs: 30, seed: 4 })
    link.a.write(contentOf(50_000, 5))
    link.a.close()
    link.run(10_000, () => link.b.session.peerEnded)
    expect(link.b.received.length).toBe(50_000)
    expect(link.b.session.state).toBe('peerTerminating')
    link.b.close()
    link.run(2_000)
    expect([link.a.session.state, link.b.session.state]).toEqual(['terminated', 'terminated'])
    expect([link.a.session.nextAt, link.b.session.nextAt]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
    expect(link.lentOut()).toBe(0)
  })

  it('drops what it has to say when the peer has closed, and is still told the rest', () => {
    const link = lossyLink({ lossPercent: 0, delayMs: 30, seed: 4 })
    link.a.write(contentOf(20_000, 5))
    link.a.close()
    link.b.write(contentOf(20_000, 3))
    link.run(5_000)
    expect(link.b.received.length).toBe(20_000)
    expect(link.b.session.writable).toBe(false)
    expect(link.a.session.state).toBe('terminated')
  })

  it('keeps what has arrived for who reads late, without haste', () => {
    const link = lossyLink({ lossPercent: 0, delayMs: 10, seed: 4 })
    link.b.reading = false
    link.a.write(contentOf(50_000, 5))
    link.a.close()
    link.run(10_000)
    expect(link.b.session.state).toBe('peerTerminating')
    expect(link.b.turns).toBeLessThan(100)
    link.b.reading = true
    link.run(6_000)
    expect(link.b.received.length).toBe(50_000)
    expect(link.b.session.state).toBe('terminating')
  })

  it('ends after 30 s of silence, and gives up on what nobody acknowledges', () => {
    const link = lossyLink({ lossPercent: 100, delayMs: 1, seed: 1 })
    link.a.write(Uint8Array.of(1))
    link.run(29_000)
    expect(link.a.session.state).toBe('active')
    link.run(2_000)
    expect(link.a.session.state).toBe('closing')
    link.run(17_000)
    expect(link.a.session.state).toBe('terminated')
    expect(link.lentOut()).toBe(0)
  })

  it('sends to a peer that does not answer more and more rarely', () => {
    const link = lossyLink({ lossPercent: 100, delayMs: 1, seed: 1 })
    link.a.write(Uint8Array.of(1))
    link.run(10_000)
    expect(link.sent).toBeLessThan(30)
  })

  it('survives whatever a stranger says, and keeps within bounds', () => {
    const link = lossyLink({ lossPercent: 0, delayMs: 1, seed: 1 })
    const { session } = link.a
    const { random } = link
    for (let i = 0; i < 20_000; i++) {
      const datagram = random.fill(new Uint8Array(40))
      datagram[0] = 0
      datagram[1] = 1
      datagram[2] = random.below(5)
      datagram[3] = 0
      if (datagram[2] === 2) continue
      if (random.below(2) === 0) datagram.fill(0, 8, 16)
      if (random.below(2) === 0) datagram.set([0, 22], 16)
      session.input(datagram, i)
    }
    expect(link.lentOut()).toBeLessThanOrEqual(776)
    const reader = new SegmentReader()
    reader.begin(new Uint8Array(0))
    expect(reader.next()).toBe(false)
  })
})
