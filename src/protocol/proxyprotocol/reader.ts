/**
 * The PROXY protocol of HAProxy (its proxy-protocol.txt), versions 1 and 2:
 *
 *     1   PROXY TCP4|TCP6 source destination port port CR LF      or   PROXY UNKNOWN … CR LF      107 bytes at most
 *     2   signature[12] | version 2, command | family, transport | length[2] | addresses | further items
 *                         2x: 0 LOCAL, 1 PROXY   1x IPv4, 2x IPv6, 3x unix
 */

import { type Address, formatHost, hostFromIP, parseIPv4, parseIPv6 } from '../../core/address.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { fixedPart, longestLine, type ProxyHeader, signature } from './model.ts'

const line = Uint8Array.from('PROXY ', (character) => character.charCodeAt(0))
const CR = 0x0d
const LF = 0x0a

const nobody: ProxyHeader = { source: undefined, destination: undefined }

/** Bytes of both addresses and ports of a family. */
const blocks: Readonly<Record<number, number>> = { 1: 12, 2: 36, 3: 216 }

/** Reads one header. Holds no more of it than `limits.proxyHeaderHeld` bytes: further items of version 2 are passed over. */
export class ProxyHeaderReader {
  readonly #held = new Uint8Array(limits.proxyHeaderHeld)
  #length = 0
  /** Bytes of the header that are still to be passed over, once its addresses are known. */
  #skip = 0
  #header: ProxyHeader | undefined

  /** True once a byte came. */
  get started(): boolean {
    return this.#length > 0
  }

  /**
   * Takes the next bytes, cut anywhere. Gives the header and what came behind it, a part of `bytes`, once it is whole; until then
   * undefined. @throws ProxyError PROXY_HEADER_INVALID as soon as it can be none
   */
  push(bytes: Uint8Array): { readonly header: ProxyHeader; readonly rest: Uint8Array } | undefined {
    let at = 0
    while (!this.#header && at < bytes.length) {
      this.#held[this.#length++] = bytes[at++]!
      this.#look()
    }
    if (!this.#header) return undefined
    const skipped = Math.min(this.#skip, bytes.length - at)
    this.#skip -= skipped
    return this.#skip > 0 ? undefined : { header: this.#header, rest: bytes.subarray(at + skipped) }
  }

  /** After every byte: headers are short, and come once. */
  #look(): void {
    const first = this.#held[0]
    if (first === line[0]) this.#lookAtLine()
    else if (first === signature[0]) this.#lookAtBlock()
    else throw invalid('there is none')
  }

  #lookAtLine(): void {
    const length = this.#length
    if (length <= line.length && this.#held[length - 1] !== line[length - 1]) throw invalid('there is none')
    if (this.#held[length - 1] === LF) {
      if (this.#held[length - 2] !== CR) throw invalid('its line ends without a carriage return')
      this.#header = headerOf(String.fromCharCode(...this.#held.subarray(line.length, length - 2)))
    } else if (length >= longestLine) throw invalid(`its line is longer than ${longestLine} bytes`)
  }

  #lookAtBlock(): void {
    const held = this.#held
    const length = this.#length
    if (length <= signature.length && held[length - 1] !== signature[length - 1]) throw invalid('there is none')
    if (length < fixedPart) return
    const [command, kind] = [held[12]!, held[13]!]
    if (command >> 4 !== 2) throw invalid(`it has the version ${command >> 4}`)
    if ((command & 15) > 1) throw invalid(`it has the command ${command & 15}`)
    const size = (held[14]! << 8) | held[15]!
    const block = (command & 15) === 1 ? (blocks[kind >> 4] ?? 0) : 0
    if (size < block) throw invalid(`its addresses have ${size} bytes instead of ${block}`)
    if (length < fixedPart + block) return
    this.#skip = size - block
    this.#header = block === 0 ? nobody : addressesOf(kind >> 4, held.subarray(fixedPart, fixedPart + block))
  }
}

const invalid = (what: string): ProxyError =>
  new ProxyError('PROXY_HEADER_INVALID', `no connection with a PROXY protocol header: ${what}`, {
    hint: 'does the balancer in front send the PROXY protocol? Without one leave "acceptProxyProtocol" out',
  })

function headerOf(text: string): ProxyHeader {
  const words = text.split(' ')
  if (words[0] === 'UNKNOWN') return nobody
  const parse = words[0] === 'TCP4' ? parseIPv4 : words[0] === 'TCP6' ? parseIPv6 : undefined
  if (!parse || words.length !== 5) throw invalid(`its line says ${JSON.stringify(text.slice(0, 40))}`)
  const address = (host: string, port: string): Address => {
    const bytes = parse(host)
    if (!bytes || !/^(?:0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) throw invalid('an address in it is none')
    return { host: formatHost(hostFromIP(bytes)), port: Number(port) }
  }
  return { source: address(words[1]!, words[3]!), destination: address(words[2]!, words[4]!) }
}

function addressesOf(family: number, block: Uint8Array): ProxyHeader {
  if (family === 3) return { source: unixPath(block.subarray(0, 108)), destination: unixPath(block.subarray(108)) }
  const size = family === 1 ? 4 : 16
  const ports = block.subarray(2 * size)
  const address = (at: number): Address => ({
    host: formatHost(hostFromIP(block.subarray(at * size, (at + 1) * size))),
    port: (ports[2 * at]! << 8) | ports[2 * at + 1]!,
  })
  return { source: address(0), destination: address(1) }
}

function unixPath(bytes: Uint8Array): Address | undefined {
  const end = bytes.indexOf(0, 1)
  const path = String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end))
  return path === '\0' || path === '' ? undefined : { host: '', port: 0, path }
}
