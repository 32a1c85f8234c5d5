/** `outbounds[].mux`. */
import type { z } from 'zod'
import { limits } from '../../core/limits.ts'
import type { Context } from '../../schema/context.ts'
import { flag, integer, object, word } from '../../schema/fields.ts'
import type { MuxSettings } from '../../settings/model.ts'

export const muxSchema = object(() => ({
  enabled: flag('Carry many connections in one. Default: false.'),
  concurrency: integer(
    -32768,
    1024,
    'How many at once. 0: 8; negative: streams have connections of their own. Default: 8.',
  ),
  xudpConcurrency: integer(
    -32768,
    1024,
    'How many sessions of UDP at once, in carriers of their own. 0: in those of the streams; negative: none. Default: 0.',
  ),
  xudpProxyUDP443: word(
    ['reject', 'allow', 'skip'],
    'What becomes of UDP to port 443: dropped, carried like any other, or carried past the multiplexing. Default: `reject` ' +
      'where `xudpConcurrency` is written, else `allow`.',
  ),
})).describe('Multiplexing (Mux.Cool), for VMess. The server needs no setting.')

/** Undefined where it is not enabled. */
export function readMux(input: z.output<typeof muxSchema>, { report }: Context): MuxSettings | undefined {
  if (!input.enabled) return undefined
  const { concurrency = 0, xudpConcurrency = 0, xudpProxyUDP443 } = input
  const streams = concurrency === 0 ? limits.muxConcurrency : Math.max(concurrency, 0)
  const shared = streams > 0 ? 'shared' : 0
  const datagrams = xudpConcurrency === 0 ? shared : Math.max(xudpConcurrency, 0)
  // Xray rejects wherever mux is enabled, without a word from the user; V2Ray knows no such thing.
  const asXray = report.wrote(input, 'xudpConcurrency') || report.wrote(input, 'xudpProxyUDP443')
  return { streams, datagrams, udp443: xudpProxyUDP443 ?? (asXray ? 'reject' : 'allow') }
}
