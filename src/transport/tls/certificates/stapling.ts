import { X509Certificate } from 'node:crypto'
import { EventEmitter } from 'node:events'
import type { Clock, Logger } from '../../../core/env.ts'
import { limits } from '../../../core/limits.ts'
import type { Post } from '../../../net/http-post.ts'
import type { ServedPair } from '../options.ts'
import type { Question } from './asn1/ocsp.ts'

interface StaplingDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly post: Post
}

/**
 * Staples OCSP answers to certificates that are configured so: what a TLS socket takes for its server, and asks with the event
 * OCSPRequest. Answers are fetched when clients come, behind their backs: the first of them get none. Undefined: none is.
 */
export function stapling(pairs: readonly ServedPair[], deps: StaplingDeps): EventEmitter | undefined {
  const staples = pairs.filter(({ ocspStaplingS = 0 }) => ocspStaplingS > 0).map((pair) => new Staple(pair, deps))
  if (staples.length === 0) return undefined
  const asked = (leaf: Buffer, _issuer: unknown, answer: (error: null, staple?: Buffer) => void): void =>
    answer(null, staples.find((staple) => staple.isFor(leaf))?.current())
  return new EventEmitter().on('OCSPRequest', asked)
}

/** The answer about one certificate. */
class Staple {
  readonly #pair: ServedPair
  readonly #deps: StaplingDeps
  readonly #leaf: X509Certificate
  #answer: { readonly bytes: Buffer; readonly until: number } | undefined
  #question: Promise<Question> | undefined
  /** By elapsed(). */
  #askAgainMs = 0
  #asking = false
  #told = ''

  constructor(pair: ServedPair, deps: StaplingDeps) {
    this.#pair = pair
    this.#deps = deps
    this.#leaf = new X509Certificate(pair.cert)
  }

  isFor(leaf: Buffer): boolean {
    return this.#leaf.raw.equals(leaf)
  }

  /** The answer that holds now. Has another one fetched when its time has come. */
  current(): Buffer | undefined {
    const { clock } = this.#deps
    if (!this.#asking && clock.elapsed() >= this.#askAgainMs) void this.#ask()
    return this.#answer && this.#answer.until > clock.now() ? this.#answer.bytes : undefined
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    const { clock } = this.#deps
    this.#asking = true
    try {
      const bytes = await this.#fetch()
      this.#answer = bytes
      this.#askAgainMs = clock.elapsed() + (this.#pair.ocspStaplingS ?? 0) * 1000
      this.#told = ''
    } catch (error) {
      this.#askAgainMs = clock.elapsed() + limits.ocspRetryMs
      this.#tell((error as Error).message)
    }
    this.#asking = false
  }

  async #fetch(): Promise<{ bytes: Buffer; until: number }> {
    const { clock, post } = this.#deps
    const url = /^OCSP - URI:(http:\/\/.+)$/m.exec(this.#leaf.infoAccess ?? '')?.[1]
    if (!url) throw new Error('the certificate names no OCSP server')
    const [leaf, issuer] = this.#pair.cert.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? []
    if (!leaf || !issuer) throw new Error('the certificate of its authority does not follow it in the file')
    this.#question ??= import('./asn1/ocsp.ts').then(({ questionAbout }) => questionAbout(leaf, issuer))
    const question = await this.#question
    const answer = await post(url, question.request, 'application/ocsp-request')
    return { bytes: Buffer.from(answer), until: question.validUntil(answer, clock.now()) }
  }

  /** The same thing once. */
  #tell(message: string): void {
    if (message === this.#told) return
    this.#told = message
    const { subject } = this.#leaf
    this.#deps.log.warn(
      {},
      `no OCSP answer can be stapled to the certificate of ${subject.replaceAll('\n', ', ')}: ${message}`,
    )
  }
}
