import { limits } from '../../../core/limits.ts'
import type { Asked } from '../../../kinds/kinds.ts'
import { parseRequestHead } from '../../../protocol/http/head.ts'
import { HeadCollector } from '../../../protocol/http/head-collector.ts'
import { valuesOf } from '../../../protocol/http/headers.ts'
import { BadRequest } from '../../../protocol/http/problems.ts'
import { textOf } from '../../../protocol/http/text.ts'
import { protocolsOf, serverNameOf } from '../../../protocol/sniff/client-hello.ts'
import { HelloCollector } from '../../../protocol/sniff/hello-collector.ts'
import { hostOf, pathOf } from '../../../transport/upgrade/target.ts'

/** What the first bytes of a connection show. */
export type Seen =
  | ({ readonly kind: 'tls' } & Hello)
  | ({ /** Also a request that cannot be understood. */ readonly kind: 'request' } & Asked)
  | { readonly kind: 'http2' }
  | { readonly kind: 'bytes' }

export interface Hello {
  /** In lower case; `''`: none. */
  readonly name: string
  /** Application protocols, best first. */
  readonly protocols: readonly string[]
}

/** Longer than the name of any method. */
const methodMax = 32
/**
 * The beginning of a request line, or of a shorter piece of one. Narrower than what HTTP allows: a VMess connection begins with bytes
 * that may be anything, and one in two hundred began with a token and a blank.
 */
const mayBeRequest = /^(?:[A-Z][A-Z_-]{0,31})?$|^[A-Z][A-Z_-]{2,31} (?:[!-~]|$)/

/** Collects the first bytes of a connection until they show what it is. */
export class FirstBytes {
  #bytes = new Uint8Array(0)
  #length = 0
  readonly #hello = new HelloCollector(limits.clientHelloMax)
  readonly #head = new HeadCollector('request', limits.upgradeHeadMax)
  #beginning = ''

  /** Undefined: more is needed. */
  push(bytes: Uint8Array): Seen | undefined {
    this.#keep(bytes)
    if (this.#bytes[0] === 0x16) return this.#pushHello(bytes)
    if (this.#beginning.length <= methodMax) {
      this.#beginning += textOf(bytes.subarray(0, methodMax + 1 - this.#beginning.length))
      if (!mayBeRequest.test(this.#beginning)) return { kind: 'bytes' }
    }
    return this.#pushRequest(bytes)
  }

  /** All that was pushed. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Together: whoever sends byte by byte must not make us keep much more than the bytes. */
  #keep(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(this.#length === 0 ? length : Math.max(length, 2 * this.#bytes.length))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
    }
    this.#bytes.set(bytes, this.#length)
    this.#length = length
  }

  #pushHello(bytes: Uint8Array): Seen | undefined {
    const hello = this.#hello.push(bytes)
    if (hello === 'undecided') return undefined
    if (hello === 'no') return { kind: 'bytes' }
    return { kind: 'tls', name: (serverNameOf(hello) ?? '').toLowerCase(), protocols: protocolsOf(hello) }
  }

  #pushRequest(bytes: Uint8Array): Seen | undefined {
    try {
      if (!this.#head.push(bytes).complete) return undefined
      const text = textOf(this.#head.head)
      if (text.startsWith('PRI * HTTP/2.0\r\n')) return { kind: 'http2' }
      const { target, headers } = parseRequestHead(this.#head.head)
      return { kind: 'request', path: pathOf(target), host: hostOf(valuesOf(headers, 'Host')[0] ?? '') }
    } catch (error) {
      if (error instanceof BadRequest) return { kind: 'request', path: undefined, host: '' }
      throw error
    }
  }
}
