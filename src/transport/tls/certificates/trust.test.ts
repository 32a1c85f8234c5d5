import { rootCertificates } from 'node:tls'
import { expect, it } from 'vitest'
import { pem } from '../../../../test/support/tls.ts'
import { pinOfUntrusted } from './trust.ts'

it.each(['selfsigned.crt', 'server.crt'])('gives the pin of %s, which no client trusts by itself', (name) => {
  expect(pinOfUntrusted(pem(name))).toMatch(/^[0-9a-f]{64}$/)
})

it('gives the pin of the first certificate, whatever stands behind it', () => {
  expect(pinOfUntrusted(`${pem('server.crt')}\n${pem('ca.crt')}`)).toBe(pinOfUntrusted(pem('server.crt')))
  expect(pinOfUntrusted(`${pem('server.crt')}\n${rootCertificates[0]}`)).toBe(pinOfUntrusted(pem('server.crt')))
})

it('gives none for what leads to a public authority, nor for no certificate', () => {
  expect(pinOfUntrusted(rootCertificates[0]!)).toBeUndefined()
  expect(pinOfUntrusted('')).toBeUndefined()
})
