import type { Random } from '../../core/env.ts'
import type { Mask, Packet } from './mask.ts'

/** What a datagram is to be taken for by its first bytes. Receivers look at their number alone. */
export type HeaderType = 'srtp' | 'utp' | 'wechat-video' | 'dtls' | 'wireguard' | 'dns'

/** A header of `length` bytes, which `write` fills in. */
const header = (length: number, write: (bytes: Uint8Array, view: DataView) => void): Mask => {
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  return {
    before: length,
    behind: 0,
    wrap(packet: Packet): void {
      write(bytes, view)
      packet.start -= length
      packet.bytes.set(bytes, packet.start)
    },
    open(packet: Packet): boolean {
      packet.start += length
      return packet.start <= packet.end
    },
  }
}

const number16 = (random: Random): number => random.below(0x1_0000)

/** @param domain what is asked for, of the type dns */
export function disguise(type: HeaderType, random: Random, domain = ''): Mask {
  switch (type) {
    case 'srtp': {
      let count = number16(random)
      return header(4, (_, view) => {
        count = (count + 1) & 0xffff
        view.setUint16(0, 0xb5e8)
        view.setUint16(2, count)
      })
    }
    case 'utp': {
      const connection = number16(random)
      return header(4, (_, view) => {
        view.setUint16(0, connection)
        view.setUint16(2, 0x0100)
      })
    }
    case 'wechat-video': {
      let count = (number16(random) * 0x1_0000 + number16(random)) >>> 0
      return header(13, (bytes, view) => {
        count = (count + 1) >>> 0
        bytes.set([0xa1, 0x08])
        view.setUint32(2, count)
        bytes.set([0x00, 0x10, 0x11, 0x18, 0x30, 0x22, 0x30], 6)
      })
    }
    case 'dtls':
      return dtls(random)
    case 'wireguard':
      return header(4, (bytes) => void bytes.set([4, 0, 0, 0]))
    case 'dns':
      return dnsQuestion(domain, random)
  }
}

/** A record of DTLS 1.2 with application data. */
function dtls(random: Random): Mask {
  const epoch = number16(random)
  let count = 0
  let length = 17
  return header(13, (bytes, view) => {
    bytes.set([23, 254, 253])
    view.setUint16(3, epoch)
    view.setUint32(7, count)
    view.setUint16(11, length)
    count = (count + 1) >>> 0
    length += 17
    if (length > 100) length -= 50
  })
}

/** A question for the address of a domain. */
function dnsQuestion(domain: string, random: Random): Mask {
  const name = domain.split('.').flatMap((label) => {
    const bytes = new TextEncoder().encode(label)
    return [bytes.length, ...bytes]
  })
  const question = Uint8Array.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name, 0, 0, 1, 0, 1])
  return header(question.length, (bytes, view) => {
    bytes.set(question)
    view.setUint16(0, number16(random))
  })
}
