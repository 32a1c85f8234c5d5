import { expect, it, vi } from 'vitest'
import { keyPair, serverOptions } from '../../../test/support/tls.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { serverContexts } from './contexts.ts'

const parsed = vi.hoisted(() => ({ certificates: 0, contexts: 0 }))
vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof import('node:crypto')>()
  class Counted extends actual.X509Certificate {
    constructor(pem: string) {
      parsed.certificates++
      super(pem)
    }
  }
  return { ...actual, X509Certificate: Counted }
})
vi.mock('node:tls', async (original) => {
  const actual = await original<typeof import('node:tls')>()
  return {
    ...actual,
    createSecureContext: (options: object) => {
      parsed.contexts++
      return actual.createSecureContext(options)
    },
  }
})

it('reads every certificate once, however many clients ask for a name', () => {
  const contexts = serverContexts(serverOptions({ certificates: [keyPair('server'), keyPair('other')] }), fakeClock(0))
  expect(parsed).toEqual({ certificates: 2, contexts: 2 })
  for (let i = 0; i < 100; i++) contexts.choose('other.test')
  expect(contexts.choose('localhost')).toBe(contexts.first)
  expect(contexts.choose('nobody.test')).toBeUndefined()
  expect(parsed).toEqual({ certificates: 2, contexts: 2 })
})
