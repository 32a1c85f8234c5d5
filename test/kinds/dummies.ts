/** A transport and a protocol that nobody else knows: everything about them is in this file. */

import { type Address, formatAddress, parseAddress } from '../../src/core/address.ts'
import type { Conn, Sink } from '../../src/core/conn.ts'
import { prefixed } from '../../src/core/streams/prefixed.ts'
import { WrappedConn } from '../../src/core/streams/wrapped.ts'
import { defineInbound, defineOutbound, defineTransport } from '../../src/kinds/kinds.ts'
import { tcpListener } from '../../src/net/tcp.ts'
import { address, integer, object, port, text } from '../../src/schema/fields.ts'

interface ScrambleSettings {
  readonly key: number
}

/** The bytes of another connection, each combined with a key. */
class Scrambled extends WrappedConn {
  readonly #key: number

  constructor(base: Conn, key: number) {
    super(base)
    this.#key = key
  }

  #apply(bytes: Uint8Array): Uint8Array {
    return bytes.map((byte) => byte ^ this.#key)
  }

  async read(): Promise<Uint8Array | null> {
    const bytes = await this.base.read()
    return bytes && this.#apply(bytes)
  }

  drainTo(sink: Sink): Promise<void> {
    return this.base.drainTo((lent) => sink(this.#apply(lent)))
  }

  override write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    const wait = this.base.write(this.#apply(bytes))
    release?.()
    return wait
  }
}

/** What a layer was made with. */
export const layersMade: { readonly secure: boolean; readonly serverName: string }[] = []

export const scramble = defineTransport({
  name: 'scramble',
  aliases: ['xor'],
  description: 'Combines every byte with a key',
  schema: object(() => ({ key: integer(1, 255, 'What every byte is combined with. Required.') })).describe(
    'Scrambling.',
  ),
  settingsKeys: { scrambleSettings: undefined, xorSettings: 'Older name of scrambleSettings; it wins.' },
  build(input, { report }): ScrambleSettings {
    if (input && input.key === undefined && !report.wrote(input, 'key')) {
      report.error('CFG024', report.at(input, 'key'), 'there is no "key"')
    }
    return { key: input?.key ?? 1 }
  },
  message: {
    name: 'transport.internet.scramble.Config',
    fields: { key: { id: 1, type: 'uint32' } },
    json: ({ fields }) => ({ key: fields.number('key') }),
  },
  link: {
    read: ({ path }) => ({ key: Number(path) }),
    write: ({ key }) => ({ type: 'none', host: '', path: String(key) }),
  },
  layer({ key }, { secure, serverName }) {
    layersMade.push({ secure, serverName })
    return {
      name: 'scramble',
      client: (base) => ({ dial: async (to, options) => new Scrambled(await base.dial(to, options), key) }),
      server: (accept) => ({ receive: (carrier) => accept(new Scrambled(carrier, key)), pending: 0, close() {} }),
    }
  },
})

/** Streams by way of something that is no TCP, as far as anybody can see. */
export const carried: { dialled: number; listened: number } = { dialled: 0, listened: 0 }

export const pigeon = defineTransport({
  name: 'pigeon',
  aliases: [],
  description: 'Carries bytes in a way of its own',
  schema: object(() => ({})).describe('Pigeons.'),
  settingsKeys: { pigeonSettings: undefined },
  build: () => undefined,
  carrier: {
    dialer: (ground) => ({
      dial(to, options) {
        carried.dialled++
        return ground.tcp.dial(to, options)
      },
    }),
    listener: () => ({
      listen(at, accept) {
        carried.listened++
        return tcpListener({ lending: false }).listen(at, accept)
      },
    }),
  },
})

const targetMessage = {
  host: { id: 1, type: 'string' },
  port: { id: 2, type: 'uint32' },
} as const

/** Clients say where they want to go in one line. */
export const lineInbound = defineInbound({
  kind: 'line',
  aliases: ['oneline'],
  description: 'A line with the target, then bytes',
  schema: object(() => ({ greeting: text('What clients are told first.') })),
  build: (input) => ({ greeting: input.greeting ?? '' }),
  message: {
    name: 'proxy.line.ServerConfig',
    fields: { greeting: { id: 1, type: 'string' } },
    json: ({ fields }) => ({ greeting: fields.text('greeting') }),
  },
  create: ({ greeting }) => ({
    async serve(near, io) {
      const first = Buffer.from((await near.read()) ?? [])
      const end = first.indexOf('\n')
      const target = parseAddress(first.subarray(0, end).toString())
      if (!target) return near.destroy()
      if (greeting !== '') void near.write(Buffer.from(greeting))
      await io.carry(prefixed(near, first.subarray(end + 1)), { network: 'tcp', target })
    },
  }),
})

export const lineOutbound = defineOutbound({
  kind: 'line',
  aliases: ['oneline'],
  description: 'A server that is told the target in a line',
  schema: object(() => ({ host: address('Where the server is.'), port: port('Its port.') })),
  build(input, { report }): { server: Address } | undefined {
    if (input.host !== undefined && input.port !== undefined) return { server: { host: input.host, port: input.port } }
    report.error('CFG024', report.at(input), 'there is no server')
    return undefined
  },
  message: {
    name: 'proxy.line.ClientConfig',
    fields: targetMessage,
    json: ({ fields }) => ({ host: fields.text('host'), port: fields.number('port') }),
  },
  create: (tag, { server }, { dialer }) => ({
    tag,
    async dial(to, options) {
      const conn = await dialer.dial(server, options)
      await conn.write(Buffer.from(`${formatAddress(to)}\n`))
      return conn
    },
    close: async () => {},
  }),
})
