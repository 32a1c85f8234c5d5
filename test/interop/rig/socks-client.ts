import { connect } from 'node:net'
import { Wire } from './wire.ts'

/** What a SOCKS5 server answered when it was not "succeeded". */
export class SocksRefusal extends Error {
  readonly code: number

  constructor(code: number) {
    super(`SOCKS5 reply code ${code}`)
    this.code = code
  }
}

export interface SocksTarget {
  /** IPv4 text, else sent as a domain. */
  readonly host: string
  readonly port: number
}

/** Connects through the SOCKS5 proxy (no authentication) on a loopback port. The socket stays half-open capable. */
export async function socksConnect(
  proxyPort: number,
  target: SocksTarget,
  options: { name?: string; stallMs?: number } = {},
): Promise<Wire> {
  const socket = connect({ host: '127.0.0.1', port: proxyPort, allowHalfOpen: true })
  const wire = new Wire(socket, options.name ?? 'SOCKS client', options.stallMs)
  try {
    await wire.connected()
    await wire.write(Uint8Array.of(5, 1, 0))
    const method = await wire.read(2)
    if (method[0] !== 5 || method[1] !== 0) throw new Error(`SOCKS5 greeting answered with ${method.toString('hex')}`)
    await wire.write(Buffer.concat([Uint8Array.of(5, 1, 0), addressBytes(target)]))
    const [, code, , kind] = await wire.read(4)
    const rest = kind === 1 ? 6 : kind === 4 ? 18 : (await wire.read(1))[0]! + 2
    await wire.read(rest)
    if (code !== 0) throw new SocksRefusal(code!)
    return wire
  } catch (error) {
    wire.destroy()
    throw error
  }
}

function addressBytes({ host, port }: SocksTarget): Buffer {
  const portBytes = Uint8Array.of(port >> 8, port & 0xff)
  if (/^[\d.]+$/.test(host)) return Buffer.concat([Uint8Array.of(1, ...host.split('.').map(Number)), portBytes])
  return Buffer.concat([Uint8Array.of(3, host.length), Buffer.from(host), portBytes])
}
