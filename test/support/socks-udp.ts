/** A SOCKS5 client of our own, as far as datagrams are concerned. */

import { connect, type Socket } from 'node:net'
import { type Address, formatAddress, formatHost, hostFromIP } from '../../src/core/address.ts'
import { SocksUdpReader, SocksUdpWriter } from '../../src/protocol/socks/udp.ts'
import { type UdpSocketAt, udpSocket } from './udp.ts'

export interface SocksUdp {
  readonly control: Socket
  readonly udp: UdpSocketAt
  /** Where the server says that datagrams are to be sent. */
  readonly bound: Address
  send(bytes: Uint8Array, to: Address): void
  next(): Promise<{ bytes: Uint8Array; from: string }>
  close(): void
}

export interface SocksUdpOptions {
  readonly login?: { readonly user: string; readonly pass: string }
  /** What the request names; 0.0.0.0:0 unless given. */
  readonly named?: { readonly host: readonly [number, number, number, number]; readonly port: number }
  readonly host?: string
}

/** Reads so many bytes. */
export const take = (socket: Socket, length: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const look = () => {
      const bytes = socket.read(length) as Buffer | null
      if (!bytes) return
      socket.off('readable', look).off('close', gone)
      resolve(bytes)
    }
    const gone = () => reject(new Error('the server has closed the connection'))
    socket.on('readable', look).on('close', gone)
    look()
  })

/** The code that the server answers the request with, and the address behind it. */
export async function associateAt(
  port: number,
  { login, named, host = '127.0.0.1' }: SocksUdpOptions = {},
): Promise<{ control: Socket; code: number; bound: Address }> {
  const control = connect({ host, port })
  control.on('error', () => {})
  control.write(Uint8Array.of(5, 1, login ? 2 : 0))
  await take(control, 2)
  if (login) {
    const [user, pass] = [Buffer.from(login.user), Buffer.from(login.pass)]
    control.write(Uint8Array.of(1, user.length, ...user, pass.length, ...pass))
    await take(control, 2)
  }
  const source = named ?? { host: [0, 0, 0, 0], port: 0 }
  control.write(Uint8Array.of(5, 3, 0, 1, ...source.host, source.port >> 8, source.port & 255))
  const [, code = 1, , kind] = await take(control, 4)
  const ip = await take(control, kind === 4 ? 16 : 4)
  const number = (await take(control, 2)).readUInt16BE()
  return { control, code, bound: { host: formatHost(hostFromIP(ip)), port: number } }
}

export async function socksUdp(port: number, options: SocksUdpOptions = {}): Promise<SocksUdp> {
  const { control, code, bound } = await associateAt(port, options)
  if (code !== 0) throw new Error(`the server answered ${code}`)
  const udp = await udpSocket(options.host)
  const writer = new SocksUdpWriter()
  const reader = new SocksUdpReader()
  return {
    control,
    udp,
    bound,
    send: (bytes, to) => udp.send(Buffer.concat([writer.header(to), bytes]), bound.port, bound.host),
    async next() {
      const { bytes } = await udp.next()
      const at = reader.open(bytes)
      return { bytes: new Uint8Array(bytes.subarray(at)), from: formatAddress(reader.address) }
    },
    close() {
      control.destroy()
      udp.close()
    },
  }
}
