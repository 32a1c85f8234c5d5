import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { keyPair, pem } from '../../../../test/support/tls.ts'
import { silentLogger } from '../../../core/env.ts'
import { limits } from '../../../core/limits.ts'
import type { Post } from '../../../net/http-post.ts'
import { fakeClock } from '../../../testing/fakes.ts'
import { stapling } from './stapling.ts'

const der = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../../../test/fixtures/tls/${name}`, import.meta.url)))
const leaf = new X509Certificate(pem('stapled.crt')).raw

function rig(post: Post, pair = keyPair('stapled')) {
  const clock = fakeClock(Date.parse('2027-01-01T00:00:00Z'))
  const warned: string[] = []
  const log = { ...silentLogger, warn: (_: object, text: string) => warned.push(text) }
  const emitter = stapling([keyPair('server'), { ...pair, ocspStaplingS: 600 }], { clock, log, post })!
  const ask = (certificate = leaf) => {
    let given: Buffer | undefined
    emitter.emit('OCSPRequest', certificate, undefined, (_: null, answer?: Buffer) => {
      given = answer
    })
    return given && new Uint8Array(given)
  }
  return { clock, warned, ask }
}

describe('stapling', () => {
  it('is nothing where it is not configured', () => {
    const deps = { clock: fakeClock(0), log: silentLogger, post: async () => der('ocsp-good.der') }
    expect(stapling([keyPair('stapled')], deps)).toBeUndefined()
  })

  it('asks as openssl does, gives the answer from then on, and asks again after a while', async () => {
    const asked: [string, Uint8Array, string][] = []
    const { ask, clock, warned } = rig(async (...question) => {
      asked.push(question)
      return der('ocsp-good.der')
    })
    expect(ask()).toBeUndefined()
    await expect.poll(() => ask()).toEqual(der('ocsp-good.der'))
    expect(asked).toEqual([['http://ocsp.test/answer', der('ocsp-request.der'), 'application/ocsp-request']])
    expect(ask(new X509Certificate(pem('server.crt')).raw)).toBeUndefined()
    clock.advance(600_000)
    expect(ask()).toEqual(der('ocsp-good.der'))
    await expect.poll(() => asked.length).toBe(2)
    expect(warned).toEqual([])
  })

  it('keeps an answer when there is no newer one, and says so once', async () => {
    let down = false
    const { ask, clock, warned } = rig(async () => {
      if (down) throw new Error('nobody is there')
      return der('ocsp-good.der')
    })
    ask()
    await expect.poll(() => ask()).toBeDefined()
    down = true
    for (const ms of [600_000, limits.ocspRetryMs]) {
      clock.advance(ms)
      expect(ask()).toEqual(der('ocsp-good.der'))
      await expect.poll(() => warned.length).toBe(1)
    }
    expect(warned[0]).toContain('CN=stapled.test: nobody is there')
  })

  it.each([
    ['revoked', der('ocsp-revoked.der'), 'the certificate is revoked'],
    ['no answer', Uint8Array.of(0x30, 3, 0x0a, 1, 6), 'the status unauthorized'],
    ['no DER', Uint8Array.of(1, 2, 3), ''],
  ])('takes no answer that is not good: %s', async (_what, answer, reason) => {
    const { ask, warned } = rig(async () => answer)
    ask()
    await expect.poll(() => warned.length).toBe(1)
    expect(warned[0]).toContain(reason)
    expect(ask()).toBeUndefined()
  })

  it.each([
    ['an OCSP server', keyPair('server'), 'the certificate names no OCSP server'],
    [
      'its authority',
      { ...keyPair('stapled'), cert: pem('stapled.crt').split(/(?<=END CERTIFICATE-----\n)/)[0]! },
      'does not follow it',
    ],
  ])('says what the certificate lacks: %s', async (_what, pair, reason) => {
    const { ask, warned } = rig(async () => der('ocsp-good.der'), pair)
    ask(new X509Certificate(pair.cert).raw)
    await expect.poll(() => warned.length).toBe(1)
    expect(warned[0]).toContain(reason)
  })
})
