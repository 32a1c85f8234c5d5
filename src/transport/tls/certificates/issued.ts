import { isIP } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { Clock } from '../../../core/env.ts'
import { limits } from '../../../core/limits.ts'
import type { IssuerPair, KeyPair } from '../options.ts'
import type { Issuer } from './asn1/issue.ts'

/** So long before it expires a certificate is not used any more, ms: as V2Ray's. */
const marginMs = 120_000

interface Entry {
  readonly context: SecureContext
  readonly expiresAt: number
}

/** Contexts with certificates that an authority of the configuration signs for the names that clients ask for. */
export class IssuedContexts {
  readonly #authority: IssuerPair
  readonly #contextOf: (pair: KeyPair) => SecureContext
  readonly #clock: Clock
  #issuer: Promise<Issuer> | undefined
  /** The one that was asked for last comes last. */
  readonly #entries = new Map<string, Entry>()

  constructor(authority: IssuerPair, contextOf: (pair: KeyPair) => SecureContext, clock: Clock) {
    this.#authority = authority
    this.#contextOf = contextOf
    this.#clock = clock
  }

  /** One that is there and will be valid for a while. */
  known(name: string): SecureContext | undefined {
    const key = name.toLowerCase()
    const entry = this.#entries.get(key)
    if (!entry || entry.expiresAt - marginMs < this.#clock.now()) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.context
  }

  /** Rejects for what is no name, and where the authority cannot sign. */
  async contextFor(name: string): Promise<SecureContext> {
    const key = name.toLowerCase()
    if (!isName(key)) throw new Error('no certificate is issued for what is no name')
    this.#issuer ??= import('./asn1/issue.ts').then(({ Issuer }) => new Issuer(this.#authority))
    const issuer = await this.#issuer
    const known = this.known(key)
    if (known) return known
    const { expiresAt, ...pair } = issuer.issue(key, this.#clock.now())
    const entry = { context: this.#contextOf(pair), expiresAt }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= limits.issuedCertificates) break
      this.#entries.delete(oldest)
    }
    return entry.context
  }
}

const label = /^(?:\*|[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)$/

const isName = (text: string): boolean =>
  isIP(text) !== 0 || (text.length <= 253 && text.split('.').every((part) => label.test(part)))
