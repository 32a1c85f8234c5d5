/** Keys of a client's Initial packets (RFC 9001, 5.2; RFC 9369, 3.3): whoever sees its connection id can make them. */
import { type Aead, createAead } from '../../crypto/aead.ts'
import { aesEncryptor, type BlockCipher } from '../../crypto/aes-block.ts'
import { hkdfExpandLabel, hkdfExtract } from '../../crypto/hkdf.ts'

const bytes = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16))

/** A version of QUIC, as far as its Initial packets differ. */
export interface QuicVersion {
  readonly salt: Uint8Array
  readonly labels: 'quic' | 'quicv2'
  /** The two type bits of an Initial packet. */
  readonly initial: number
}

const versions: ReadonlyMap<number, QuicVersion> = new Map([
  [1, { salt: bytes('38762cf7f55934b34d179ae6a4c80cadccbb7f0a'), labels: 'quic', initial: 0 }],
  [0xff00001d, { salt: bytes('afbfec289993d24c9e9786f19c6111e04390a899'), labels: 'quic', initial: 0 }],
  [0x6b3343cf, { salt: bytes('0dede3def700a6db819381be6e269dcbf9bd2ed9'), labels: 'quicv2', initial: 1 }],
])

/** Undefined for a version whose packets nobody here can read. */
export const quicVersion = (number: number): QuicVersion | undefined => versions.get(number)

export interface InitialKeys {
  readonly aead: Aead
  /** 12 bytes. */
  readonly iv: Uint8Array
  /** Masks headers. */
  readonly mask: BlockCipher
}

/** @param dcid the destination connection id of the packet, 0 to 20 bytes */
export function initialKeys({ salt, labels }: QuicVersion, dcid: Uint8Array): InitialKeys {
  const secret = hkdfExpandLabel(hkdfExtract(salt, dcid), 'client in', 32)
  return {
    aead: createAead('aes-128-gcm', hkdfExpandLabel(secret, `${labels} key`, 16)),
    iv: hkdfExpandLabel(secret, `${labels} iv`, 12),
    mask: aesEncryptor(hkdfExpandLabel(secret, `${labels} hp`, 16)),
  }
}
