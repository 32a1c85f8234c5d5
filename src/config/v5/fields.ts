/**
 * The fields of an object of V2Ray 5's own format, which is strict where the other one is silent: an unknown key is an error,
 * and below the outer objects the letter case of keys counts.
 */
import { oneOf } from '../../schema/expected.ts'
import { join, type Place, type Report, shorten } from '../../schema/report.ts'
import { nearest } from '../../schema/suggest.ts'
import type { JsonNode, ObjectNode } from '../../schema/tree.ts'
import { list, number, type Origin, same, text } from './nodes.ts'

/** Keys of the other format by where they were most likely meant to be. */
const spelledHere: Readonly<Record<string, string>> = {
  routing: 'router',
  rules: 'rule',
  balancers: 'balancingRule',
  outboundTag: 'tag',
  balancerTag: 'balancingTag',
  user: 'userEmail',
  attrs: 'attributes',
  clients: 'users',
  id: 'uuid',
  network: 'transport',
  wsSettings: 'transportSettings',
  tcpSettings: 'transportSettings',
  grpcSettings: 'transportSettings',
  kcpSettings: 'transportSettings',
  tlsSettings: 'securitySettings',
  sockopt: 'socketSettings',
  headers: 'header',
  alpn: 'nextProtocol',
  certificates: 'certificate',
  servers: 'nameServer',
  hosts: 'staticHosts',
  domains: 'prioritizedDomain',
  expectIPs: 'geoip',
  udp: 'udpEnabled',
  api: 'services.commander',
  policy: 'services.policy',
  levels: 'level',
  observatory: 'backgroundObservatory',
  fakedns: 'fakeDns',
}

export const placeOf = ({ node, path }: Origin): Place => ({ source: node.source, offset: node.offset, path })

/** Reads the members of one object. What is wrong is reported, and then absent. */
export class Fields {
  readonly at: Origin
  readonly report: Report
  readonly #members = new Map<string, Origin>()

  /**
   * @param known documented names
   * @param hint what to write instead of a key that the other format has
   */
  constructor(
    at: Origin,
    known: readonly string[],
    report: Report,
    { anyCase = false, hint = () => undefined }: { anyCase?: boolean; hint?: (key: string) => string | undefined } = {},
  ) {
    this.at = at
    this.report = report
    const { node } = at
    if (node.type === 'null') return
    if (node.type !== 'object') {
      report.error('CFG022', placeOf(at), `found ${node.type}, expected an object { … }`)
      return
    }
    for (const entry of node.entries) this.#enter(entry, known, anyCase, hint)
  }

  #enter(
    { key, keyOffset, value }: ObjectNode['entries'][number],
    known: readonly string[],
    anyCase: boolean,
    hint: (key: string) => string | undefined,
  ): void {
    const name = known.find((each) =>
      anyCase ? each.toLowerCase() === key.toLowerCase() : each === key || snake(each) === key,
    )
    const path = join(this.at.path, key)
    if (name !== undefined) {
      if (value.type !== 'null') this.#members.set(name, { node: value, path })
      return
    }
    if (value.type === 'null' || /^(?:\$schema$|\/\/|_comment)/.test(key)) return
    const place = { source: value.source, offset: keyOffset, path }
    this.report.error(
      'CFG040',
      place,
      `unknown key "${shorten(key, 64)}", expected ${oneOf(known)}`,
      hint(key) ?? spelling(key, known),
    )
  }

  has(key: string): boolean {
    return this.#members.has(key)
  }

  /** Where a member stands; of one that is missing, where it would. */
  origin(key: string): Origin {
    const { source, offset, length } = this.at.node
    return this.#members.get(key) ?? { node: { source, offset, length, type: 'null' }, path: join(this.at.path, key) }
  }

  /** As it is. */
  node(key: string): JsonNode | undefined {
    const at = this.#members.get(key)
    return at && same(at)
  }

  text(key: string): string | undefined {
    const at = this.#members.get(key)
    if (!at || at.node.type === 'string') return at?.node.type === 'string' ? at.node.value : undefined
    return this.#wrong(at, 'text in double quotes')
  }

  flag(key: string): boolean | undefined {
    const at = this.#members.get(key)
    if (!at || at.node.type === 'boolean') return at?.node.type === 'boolean' ? at.node.value : undefined
    return this.#wrong(at, 'true or false')
  }

  /** A whole number; in quotes it is as good. */
  number(key: string): number | undefined {
    const at = this.#members.get(key)
    if (!at) return undefined
    const { node } = at
    if (node.type === 'number' && Number.isInteger(node.value)) return node.value
    if (node.type === 'string' && /^-?\d+$/.test(node.value)) return Number(node.value)
    return this.#wrong(at, 'a whole number')
  }

  numberNode(key: string): JsonNode | undefined {
    const value = this.number(key)
    return value === undefined ? undefined : number(this.origin(key), value)
  }

  /** One of some words in their exact case, or the number of one. */
  word<W extends string>(key: string, words: readonly W[]): W | undefined {
    const at = this.#members.get(key)
    if (!at) return undefined
    const { node } = at
    if (node.type === 'number' && words[node.value] !== undefined) return words[node.value]
    if (node.type !== 'string') return this.#wrong(at, oneOf(words))
    const found = words.find((each) => each === node.value)
    if (found !== undefined) return found
    const alike = words.find((each) => each.toLowerCase() === node.value.toLowerCase()) ?? nearest(node.value, words)
    const message = `found ${JSON.stringify(shorten(node.value))}, expected ${oneOf(words)}`
    this.report.error('CFG025', placeOf(at), message, alike && `write "${alike}"`)
    return undefined
  }

  /** Always an array: one value alone is none. */
  items(key: string): readonly Origin[] {
    const at = this.#members.get(key)
    if (!at) return []
    if (at.node.type !== 'array') {
      this.#wrong(at, 'an array [ … ]')
      return []
    }
    return at.node.items.map((node, i) => ({ node, path: join(at.path, i) }))
  }

  texts(key: string): readonly string[] {
    return this.items(key).flatMap((at) =>
      at.node.type === 'string' ? [at.node.value] : (this.#wrong(at, 'text') ?? []),
    )
  }

  /** An array of texts as one, for a field that takes that. */
  textsNode(key: string): JsonNode | undefined {
    if (!this.has(key)) return undefined
    const at = this.origin(key)
    return list(
      at,
      this.items(key).flatMap((item) => (item.node.type === 'string' ? same(item) : (this.#wrong(item, 'text') ?? []))),
    )
  }

  /** `{ "value": 300 }`. */
  wrapped(key: string, name = 'value'): JsonNode | undefined {
    const at = this.#members.get(key)
    if (!at) return undefined
    if (at.node.type !== 'object') return this.#wrong(at, `an object { "${name}": … }`)
    return new Fields(at, [name], this.report).numberOrText(name)
  }

  numberOrText(key: string): JsonNode | undefined {
    const at = this.#members.get(key)
    return at?.node.type === 'string' && !/^-?\d+$/.test(at.node.value) ? same(at) : this.numberNode(key)
  }

  /** Base64 of text. */
  encoded(key: string): JsonNode | undefined {
    const written = this.text(key)
    if (written === undefined) return undefined
    const at = this.origin(key)
    const decoded = textOfBase64(written)
    if (decoded !== undefined) return text(at, decoded)
    const hint = written.includes('-----BEGIN') ? 'base64-encode the PEM, or give the path of a file' : undefined
    this.report.error('CFG022', placeOf(at), 'this is not base64', hint)
    return undefined
  }

  fields(key: string, known: readonly string[], hint?: (key: string) => string | undefined): Fields {
    return new Fields(this.origin(key), known, this.report, hint && { hint })
  }

  #wrong(at: Origin, expected: string): undefined {
    const found = at.node.type === 'string' ? JSON.stringify(shorten(at.node.value)) : at.node.type
    this.report.error('CFG022', placeOf(at), `found ${found}, expected ${expected}`)
    return undefined
  }
}

export function textOfBase64(written: string): string | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(written) || written.length % 4 !== 0) return undefined
  return new TextDecoder().decode(Uint8Array.from(atob(written), (letter) => letter.charCodeAt(0)))
}

/** Protobuf's own spelling of a name. */
const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

function spelling(key: string, known: readonly string[]): string | undefined {
  const there = Object.hasOwn(spelledHere, key) ? spelledHere[key]! : undefined
  if (there && (known.includes(there) || there.startsWith('services'))) return `"${key}" is called "${there}" here`
  const alike = known.find((each) => each.toLowerCase() === key.toLowerCase()) ?? nearest(key, known)
  return alike && `did you mean "${alike}"?`
}
