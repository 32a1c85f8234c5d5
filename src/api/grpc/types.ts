import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import {
  fromJSON,
  load,
  type MessageTypeDefinition,
  type PackageDefinition,
  type ServiceDefinition,
} from '@grpc/proto-loader'
import { type Kinds, messagesOf } from '../../kinds/kinds.ts'
import { type Family, Fields, type Typed } from '../../messages/fields.ts'
import { invalid, StatusError, unavailable } from '../../messages/status.ts'
import { wireFields } from './wire.ts'

type Message = MessageTypeDefinition<object, object>

/** How the names of a family begin. What both have alike is kept once, under V2Ray's name. */
const beginnings: { readonly [F in Family]: string } = { v2ray: 'v2ray.core.', xray: 'xray.' }

const options = { keepCase: true, longs: Number } as const

/** Reads the .proto files beside this one; what they do not have, kinds bring themselves. */
export async function loadTypes(kinds: Kinds): Promise<Types> {
  const folder = fileURLToPath(new URL('./proto', import.meta.url))
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.proto'))
  return new Types({ ...(await load(files, { includeDirs: [folder], ...options })), ...definitionsOf(kinds) })
}

function definitionsOf(kinds: Kinds): PackageDefinition {
  const own = messagesOf(kinds).flatMap(({ name, fields }) =>
    fields ? [nested(beginnings.v2ray + name, { fields })] : [],
  )
  return Object.assign({}, ...own.map((json) => fromJSON(json, options)))
}

/** A message under its full name, as protobufjs writes packages in JSON. */
function nested(name: string, message: object): object {
  const parts = name.split('.')
  return parts.reduceRight<object>((inner, part) => ({ nested: { [part]: inner } }), message)
}

/** The messages and services of both families. */
export class Types {
  readonly #definitions: PackageDefinition

  constructor(definitions: PackageDefinition) {
    this.#definitions = definitions
  }

  /** A service under the name of a family, such as `app.stats.command.StatsService`; `written`: where that family has another. */
  service(name: string, family: Family, written = name): ServiceDefinition {
    const shared = this.#definitions[beginnings.v2ray + name] as ServiceDefinition
    const path = (method: string): string => `/${beginnings[family]}${written}/${method}`
    return Object.fromEntries(
      Object.entries(shared).map(([method, definition]) => [method, { ...definition, path: path(method) }]),
    )
  }

  /** A request, of which fields are taken. */
  fields(path: string, values: object): Fields {
    return new Fields(path, values, (type, value) => this.open(type, value))
  }

  /** A message by its name. @throws StatusError when it is unknown, malformed, or has fields that are unknown */
  open(written: string, value: Uint8Array): Typed {
    // A google.protobuf.Any has an address before the name.
    const type = written.slice(written.lastIndexOf('/') + 1)
    if (type === '') throw invalid('a TypedMessage has no type')
    const family = type.startsWith(beginnings.v2ray) ? 'v2ray' : 'xray'
    const { name, message } = this.#find(type)
    let values: object
    try {
      values = message.deserialize(Buffer.from(value))
      this.#mustKnow(type, name, value)
    } catch (error) {
      throw error instanceof StatusError ? error : invalid(`a ${type} cannot be decoded`)
    }
    return { family, name: type.slice(beginnings[family].length), type, fields: this.fields(type, values) }
  }

  /** A TypedMessage of a family. */
  typed(family: Family, name: string, values: object): { type: string; value: Uint8Array } {
    const type = beginnings[family] + name
    return { type, value: this.#find(type).message.serialize(values) }
  }

  /** Whether there is a message of this name, of either family. */
  knows(type: string): boolean {
    const shared = type.startsWith(beginnings.xray) ? beginnings.v2ray + type.slice(beginnings.xray.length) : type
    return [type, shared].some((name) => 'deserialize' in (this.#definitions[name] ?? {}))
  }

  #find(type: string): { name: string; message: Message } {
    const shared = type.startsWith(beginnings.xray) && beginnings.v2ray + type.slice(beginnings.xray.length)
    for (const name of [type, shared]) {
      const definition = name ? this.#definitions[name] : undefined
      if (name && definition && 'deserialize' in definition) return { name, message: definition as Message }
    }
    throw unavailable(`"${type}"`)
  }

  /** Decoding drops fields that the definition does not have; a newer program may mean something by them. */
  #mustKnow(path: string, name: string, encoded: Uint8Array): void {
    const { field } = (this.#definitions[name] as Message).type as { field: readonly FieldDescriptor[] }
    for (const { number, bytes } of wireFields(encoded)) {
      const known = field.find((candidate) => candidate.number === number)
      if (!known) throw unavailable(`field ${number} of ${path}`)
      const inner = known.type === 'TYPE_MESSAGE' && bytes ? this.#resolve(name, known.typeName) : undefined
      if (inner && bytes) this.#mustKnow(`${path}.${known.name}`, inner, bytes)
    }
  }

  /** The full name of a message that is named relative to another; undefined for the entries of a map. */
  #resolve(from: string, name: string): string | undefined {
    const scope = from.split('.')
    for (let length = scope.length; length >= 0; length--) {
      const full = [...scope.slice(0, length), name].join('.')
      if (full in this.#definitions) return full
    }
    return undefined
  }
}

interface FieldDescriptor {
  readonly name: string
  readonly number: number
  readonly type: string
  readonly typeName: string
}
