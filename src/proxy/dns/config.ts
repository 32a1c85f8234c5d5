/** dns: answers DNS questions itself. */
import { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import { integer, noted, object, openWord, port, stringList, text, userLevel, word } from '../../schema/fields.ts'
import { outboundForm } from '../../schema/kind.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { listOf, readHost } from '../../schema/values.ts'
import type { DnsOutboundSettings, DnsRule } from '../../settings/dns.ts'

const actions = ['direct', 'drop', 'return', 'hijack'] as const
const others = ['reject', 'drop', 'skip'] as const

const types = noted(
  z.union([z.number(), z.string()]).describe('Record types: a number, or text such as "1,28,64-65".'),
  {
    expected: 'a number or text such as "1,28,64-65"',
  },
)

const rule = object(() => ({
  action: word(actions, 'direct: pass on; drop: no answer; return: answer with rCode; hijack: answer A and AAAA.'),
  qType: types,
  domain: stringList('Names; none: all.'),
  rCode: integer(0, 15, 'Response code of return. Default: 0.'),
})).describe('What to do with some questions.')

const schema = object(() => ({
  network: word(['', 'tcp', 'udp'], 'How questions are passed on. Default: as they came.'),
  address: text('Where questions are passed on to. Default: where they were sent.'),
  port: port('Port for it.'),
  rewriteNetwork: word(['', 'tcp', 'udp'], 'Xray’s newer name of network.'),
  rewriteAddress: text('Xray’s newer name of address.'),
  rewritePort: port('Xray’s newer name of port.'),
  nonIPQuery: openWord(
    others,
    'Questions other than A and AAAA: reject, drop, or skip to pass them on. Default: an empty answer.',
  ),
  blockTypes: z.array(z.number()).describe('Record types that are not answered, with reject refused.'),
  rules: z.array(rule).describe('In order; the first that fits.'),
  userLevel: userLevel(),
}))

type Input = z.output<typeof schema>

export const dnsOutbound = outboundForm({
  kind: 'dns',
  aliases: [],
  description: 'Answers DNS questions',
  schema,
  build(input, context): DnsOutboundSettings {
    const { report } = context
    const written = input.rewriteAddress ?? input.address
    const place = report.at(input, input.rewriteAddress === undefined ? 'address' : 'rewriteAddress')
    const host = written ? (readHost(written, place, context) ?? '') : ''
    const old = input.nonIPQuery !== undefined || (input.blockTypes?.length ?? 0) > 0
    if (old && input.rules) {
      report.error('CFG035', report.at(input, 'rules'), '"rules" and "nonIPQuery" or "blockTypes" exclude each other')
    }
    return {
      to: { host, port: input.rewritePort ?? input.port ?? 0 },
      network: input.rewriteNetwork ?? input.network ?? '',
      rules: input.rules ? rulesOf(input.rules, context) : blocked(input),
      others: otherwise(input, context),
      level: input.userLevel ?? 0,
    }
  },
})

function rulesOf(list: NonNullable<Input['rules']>, context: Context): DnsRule[] {
  const { report } = context
  return list.map((input, i) => {
    if (input.action === undefined && !report.wrote(input, 'action')) {
      report.error('CFG024', report.at(list, i), 'this rule has no "action"')
    }
    return {
      action: input.action ?? 'hijack',
      types: input.qType === undefined ? [] : readTypes(input.qType, report.at(input, 'qType'), context),
      domains: listOf(input.domain),
      rcode: input.rCode ?? 0,
    }
  })
}

const blocked = ({ blockTypes = [], nonIPQuery }: Input): DnsRule[] =>
  blockTypes.length === 0
    ? []
    : [
        {
          ...(nonIPQuery?.toLowerCase() === 'reject' ? refused : { action: 'drop', rcode: 0 }),
          types: blockTypes.map((type) => [type, type] as const),
          domains: [],
        },
      ]

const refused = { action: 'return', rcode: 5 } as const

function otherwise(input: Input, { report }: Context): DnsOutboundSettings['others'] {
  switch (input.nonIPQuery?.toLowerCase()) {
    case undefined:
    case '':
      return { action: 'return', rcode: 0 }
    case 'reject':
      return refused
    case 'drop':
      return { action: 'drop', rcode: 0 }
    case 'skip':
      return { action: 'direct', rcode: 0 }
    default:
      report.error(
        'CFG025',
        report.at(input, 'nonIPQuery'),
        `found ${JSON.stringify(shorten(input.nonIPQuery!))}, expected "reject", "drop" or "skip"`,
      )
      return refused
  }
}

function readTypes(value: number | string, place: Place, { report }: Context): readonly (readonly [number, number])[] {
  return String(value)
    .split(',')
    .flatMap((part) => {
      const match = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part)
      const from = Number(match?.[1])
      const to = Number(match?.[2] ?? match?.[1])
      if (match && from <= to && to <= 65_535) return [[from, to] as const]
      report.error(
        'CFG028',
        place,
        `found ${JSON.stringify(shorten(part))}, expected a record type such as 28, or a range`,
      )
      return []
    })
}
