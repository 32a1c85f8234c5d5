import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { keyPair, pem } from '../../../../test/support/tls.ts'
import { limits } from '../../../core/limits.ts'
import { fakeClock } from '../../../testing/fakes.ts'
import type { KeyPair } from '../options.ts'
import { Issuer } from './asn1/issue.ts'
import { IssuedContexts } from './issued.ts'

const authority = { ...keyPair('ca'), buildChain: false }
const now = Date.parse('2030-01-01T00:00:00Z')

describe('an authority', () => {
  it.each([
    'some.test',
    '127.0.0.1',
    '2001:db8::1',
    `${'a'.repeat(63)}.long.test`,
  ])('signs a certificate for %s', (name) => {
    const issued = new Issuer(authority).issue(name, now)
    const leaf = new X509Certificate(issued.cert)
    const ca = new X509Certificate(pem('ca.crt'))
    expect(leaf.checkIssued(ca) && leaf.verify(ca.publicKey)).toBe(true)
    expect(name.includes('test') ? leaf.checkHost(name) : leaf.checkIP(name)).toBe(name)
    expect(leaf.checkHost('other.test')).toBeUndefined()
    expect(leaf.ca).toBe(false)
    expect([Date.parse(leaf.validFrom), Date.parse(leaf.validTo)]).toEqual([now - 3_600_000, now + 3_600_000])
    expect(() => createSecureContext(issued)).not.toThrow()
  })

  it('gives each a number of its own, and adds its own where that is asked for', () => {
    const issuer = new Issuer({ ...authority, buildChain: true })
    const [one, two] = [issuer.issue('a.test', now), issuer.issue('a.test', now)]
    expect(new X509Certificate(one.cert).serialNumber).not.toBe(new X509Certificate(two.cert).serialNumber)
    expect(one.cert.endsWith(pem('ca.crt'))).toBe(true)
  })

  it.each([
    ['rsa', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' })],
    ['ed25519', generateKeyPairSync('ed25519')],
  ])('signs with a key of the kind %s', (_kind, { privateKey, publicKey }) => {
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const leaf = new X509Certificate(new Issuer({ ...authority, key }).issue('a.test', now).cert)
    expect(leaf.verify(publicKey)).toBe(true)
  })
})

describe('issued contexts', () => {
  function rig() {
    const clock = fakeClock(now)
    const made: string[] = []
    const contextOf = (pair: KeyPair) => {
      made.push(new X509Certificate(pair.cert).subject)
      return createSecureContext()
    }
    return { clock, made, contexts: new IssuedContexts(authority, contextOf, clock) }
  }

  it('are made once for a name, until shortly before they expire', async () => {
    const { clock, made, contexts } = rig()
    const first = await contexts.contextFor('A.test')
    expect(await contexts.contextFor('a.test')).toBe(first)
    expect(contexts.known('a.TEST')).toBe(first)
    clock.advance(3_600_000 - 120_000 + 1)
    expect(contexts.known('a.test')).toBeUndefined()
    expect(await contexts.contextFor('a.test')).not.toBe(first)
    expect(made).toEqual(['CN=a.test', 'CN=a.test'])
  })

  it('are made for names only', async () => {
    const { contexts, made } = rig()
    for (const name of ['', 'a..test', 'a b', `${'a.'.repeat(127)}test`, 'a\0.test']) {
      await expect(contexts.contextFor(name)).rejects.toThrow('what is no name')
    }
    expect(made).toEqual([])
  })

  it('are kept up to a bound', async () => {
    const { contexts, made } = rig()
    await contexts.contextFor('first.test')
    await contexts.contextFor('second.test')
    for (let i = 0; i < limits.issuedCertificates - 2; i++) await contexts.contextFor(`n${i}.test`)
    expect(contexts.known('first.test')).toBeDefined()
    await contexts.contextFor('last.test')
    expect(contexts.known('second.test')).toBeUndefined()
    expect(contexts.known('first.test')).toBeDefined()
    expect(made).toHaveLength(limits.issuedCertificates + 1)
  })
})
