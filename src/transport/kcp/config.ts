/** `kcpSettings`, and what of Xray's `finalmask` carries mKCP. */
import type { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import { flag, integer, noted, object, text, withoutEffect, word } from '../../schema/fields.ts'
import { transportForm } from '../../schema/kind.ts'
import type { FinalmaskInput } from '../../schema/parts/finalmask.ts'
import { shorten } from '../../schema/report.ts'
import type { KcpConfig, KcpMask } from '../../settings/kcp.ts'
import { readFinalmask } from './finalmask-config.ts'
import { domainFault, spaceFor } from './space-config.ts'

const header = object(() => ({
  type: word(
    ['none', 'srtp', 'utp', 'wechat-video', 'dtls', 'wireguard', 'dns'],
    'What datagrams are to look like. Both ends must have the same.',
  ),
  domain: text('Domain that is asked for, of the type dns. Default: www.baidu.com.'),
})).describe('First bytes of each datagram.')

/** Beyond it V2Ray’s own sums run over. */
const most = 4095
const megabytes = (what: string, usual: number) =>
  integer(0, 2 ** 32 - 1, `${what}, MB, of which 4095 count. Default: ${usual}; 0: 512 KB.`)
const speed = (what: string, usual: number) =>
  integer(0, 2 ** 32 - 1, `${what}, MB/s, of which 4095 count. Default: ${usual}.`)

const schema = object(() => ({
  mtu: integer(64, 8192, 'Bytes of a datagram, at most. V2Ray takes 576 to 1460. Default: 1350.'),
  tti: integer(10, 1000, 'Between two looks at what is to be sent again or acknowledged, ms. Default: 50.'),
  uplinkCapacity: speed('What this end sends', 5),
  downlinkCapacity: speed('What this end takes in', 20),
  congestion: flag('Send less when much is lost. Default: false.'),
  readBufferSize: megabytes('What may wait to be read', 2),
  writeBufferSize: megabytes('What may wait to be sent or acknowledged', 2),
  header,
  seed: noted(text('Password that datagrams are sealed with. Both ends must have the same.'), { secret: 'password' }),
  maxSendingWindow: integer(
    0,
    2 ** 32 - 1,
    'Xray’s form of writeBufferSize, bytes. With it, and without header and seed, mKCP is bare, as Xray has it since 26.1.31; without all three both forms are understood.',
  ),
  cwndMultiplier: withoutEffect(
    integer(0, 2 ** 32 - 1, 'Xray: how many times the window may be under way.'),
    'how much is under way is up to the room of the peer',
    [1],
  ),
})).describe('Settings of the mKCP transport.')
type Input = z.output<typeof schema>

const bytesOf = (megabytes: number | undefined): number => (megabytes ?? 2) * 1024 * 1024

export const kcpForm = transportForm({
  name: 'kcp',
  aliases: ['mkcp'],
  description: 'mKCP, over UDP',
  schema,
  settingsKeys: { kcpSettings: undefined },
  takesMasks: true,
  build(written: Input | undefined = {}, context: Context, finalmask?: FinalmaskInput): KcpConfig {
    const input = bounded(written, context)
    const config = {
      mtu: input.mtu ?? 1350,
      ttiMs: input.tti ?? 50,
      uplinkCapacity: input.uplinkCapacity ?? 5,
      downlinkCapacity: input.downlinkCapacity ?? 20,
      congestion: input.congestion ?? false,
      readBuffer: bytesOf(input.readBufferSize),
      writeBuffer: input.maxSendingWindow || bytesOf(input.writeBufferSize),
      masks: finalmask ? masksOf(input, finalmask, context) : usualMasks(input, context),
      ...(!finalmask && saysNothing(input) && { orBare: true as const }),
    }
    const { room, overhead } = spaceFor(config)
    if (room < 1) {
      const place = context.report.at(written, 'mtu')
      const message = `${config.mtu} has no room for payload: seal, header and segment take ${overhead} bytes`
      context.report.error('CFG023', place, message, 'write "mtu": 1350')
    }
    return config
  },
})

/** With what is more than can be honoured cut down to that. */
function bounded(written: Input, { report }: Context): Input {
  const input = { ...written }
  for (const key of ['uplinkCapacity', 'downlinkCapacity', 'readBufferSize', 'writeBufferSize'] as const) {
    if ((input[key] ?? 0) <= most) continue
    report.warn('CFG039', report.at(written, key), `${input[key]} is more than can be: ${most} is used`)
    input[key] = most
  }
  return input
}

/** V2Ray's: a seal always, and perhaps a header around it. An empty seed is a seed. */
function usualMasks(input: Input, { report }: Context): readonly KcpMask[] {
  const { seed, header } = input
  if (isXrays(input)) return []
  const seal: KcpMask = seed === undefined ? { type: 'plain' } : { type: 'gcm', seed }
  if (!header?.type || header.type === 'none') return [seal]
  if (header.type !== 'dns') return [seal, { type: header.type }]
  const domain = header.domain || 'www.baidu.com'
  const fault = domainFault(domain)
  if (fault) {
    report.error('CFG028', report.at(header, 'domain'), `${JSON.stringify(shorten(domain))} is no domain: ${fault}`)
    return [seal]
  }
  return [seal, { type: 'dns', domain }]
}

/** Only Xray since 26.1.31 knows these keys, and there mKCP is bare. */
const isXrays = ({ seed, header, maxSendingWindow, cwndMultiplier }: Input): boolean =>
  seed === undefined && header === undefined && (maxSendingWindow !== undefined || cwndMultiplier !== undefined)

/** V2Ray and Xray take the same text for two things then. A link always has a type of header, so `none` says nothing either. */
const saysNothing = (input: Input): boolean =>
  input.seed === undefined && (input.header?.type ?? 'none') === 'none' && !isXrays(input)

function masksOf(input: Input, finalmask: FinalmaskInput, context: Context): readonly KcpMask[] {
  const { report } = context
  for (const key of ['header', 'seed'] as const) {
    if (input[key] === undefined || (key === 'header' && (input.header?.type ?? 'none') === 'none')) continue
    const message = `"${key}" stands beside "finalmask", which Xray refuses: only one of them can say how datagrams look`
    report.error('CFG031', report.at(input, key), message, 'leave out "finalmask" for a peer with "header" and "seed"')
  }
  return readFinalmask(finalmask, context)
}
