import { describe, expect, it } from 'vitest'
import { type Aead, type AeadName, createAead } from './aead.ts'
import { PortableChaCha } from './chacha.ts'

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')

interface Vector {
  source: string
  name: AeadName
  key: string
  nonce: string
  aad: string
  plain: string
  sealed: string
}

const vectors: Vector[] = [
  {
    source: 'the GCM specification, test case 4',
    name: 'aes-128-gcm',
    key: 'feffe9928665731c6d6a8f9467308308',
    nonce: 'cafebabefacedbaddecaf888',
    aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
    plain:
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    sealed:
      '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47',
  },
  {
    source: 'the GCM specification, test case 1',
    name: 'aes-128-gcm',
    key: '00000000000000000000000000000000',
    nonce: '000000000000000000000000',
    aad: '',
    plain: '',
    sealed: '58e2fccefa7e3061367f1d57a4e7455a',
  },
  {
    source: 'RFC 8439, 2.8.2',
    name: 'chacha20-poly1305',
    key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
    nonce: '070000004041424344454647',
    aad: '50515253c0c1c2c3c4c5c6c7',
    plain: hex(
      new TextEncoder().encode(
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
      ),
    ),
    sealed:
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
  },
]

type Create = (name: AeadName, key: Uint8Array) => Aead

const portable = vectors.filter(({ name }) => name === 'chacha20-poly1305')
const cases = [
  ...vectors.map((vector) => ({ ...vector, by: 'this runtime', create: createAead as Create })),
  ...portable.map((vector) => ({
    ...vector,
    by: 'TypeScript',
    create: ((_, key) => new PortableChaCha(key)) as Create,
  })),
]

describe.each(cases)('$name by $by: $source', ({ name, create, key, nonce, aad, plain, sealed }) => {
  const extra = aad === '' ? undefined : bytes(aad)

  it('seals into a larger buffer and touches nothing else', () => {
    const length = bytes(sealed).length
    const into = new Uint8Array(length + 8).fill(1)
    expect(create(name, bytes(key)).seal(bytes(nonce), bytes(plain), into, 5, extra)).toBe(length)
    expect(hex(into)).toBe(`0101010101${sealed}010101`)
  })

  it('opens into a larger buffer and touches nothing else', () => {
    const length = bytes(plain).length
    const into = new Uint8Array(length + 8).fill(1)
    expect(create(name, bytes(key)).open(bytes(nonce), bytes(sealed), into, 5, extra)).toBe(length)
    expect(hex(into)).toBe(`0101010101${plain}010101`)
  })

  it('refuses every change and writes nothing then', () => {
    const aead = create(name, bytes(key))
    const untouched = new Uint8Array(200)
    for (let i = 0; i < bytes(sealed).length; i++) {
      const changed = bytes(sealed)
      changed[i]! ^= 1
      expect(aead.open(bytes(nonce), changed, untouched, 0, extra)).toBe(-1)
    }
    expect(aead.open(bytes(nonce), bytes(sealed), untouched, 0, bytes('00'))).toBe(-1)
    expect(aead.open(new Uint8Array(12).fill(9), bytes(sealed), untouched, 0, extra)).toBe(-1)
    for (let length = 0; length < 16; length++) {
      expect(aead.open(bytes(nonce), bytes(sealed).subarray(0, length), untouched, 0, extra)).toBe(-1)
    }
    expect(untouched).toEqual(new Uint8Array(200))
  })

  it('keeps its key, not the buffer it came in', () => {
    const lent = Buffer.from(bytes(key))
    const aead = create(name, lent)
    lent.fill(0xee)
    expect(aead.open(bytes(nonce), bytes(sealed), new Uint8Array(200), 0, extra)).toBe(bytes(plain).length)
  })
})
