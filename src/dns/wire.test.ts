import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeReply, encodeQuery } from './wire.ts'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'))
const example = { name: 'a.test', type: 'A' } as const

it('writes a query as RFC 1035 says, and its size with EDNS as RFC 6891 says', () => {
  const plain = '1234 0100 0001 0000 0000 0000 0161047465737400 0001 0001'
  expect(encodeQuery({ id: 0x1234, question: example, edns: false })).toEqual(Buffer.from(bytes(plain)))
  const edns = '1234 0100 0001 0000 0000 0001 0161047465737400 0001 0001 00 0029 04d0 00000000 0000'
  expect(encodeQuery({ id: 0x1234, question: example, edns: true })).toEqual(Buffer.from(bytes(edns)))
})

it('reads a reply with a compressed alias', () => {
  const reply = decodeReply(
    bytes(`1234 8180 0001 0002 0000 0000 0141045445535400 0001 0001
      c00c 0005 0001 0000003c 0004 0162c00e  c024 0001 0001 80000000 0004 c0000201`),
  )
  expect(reply).toEqual({
    id: 0x1234,
    question: example,
    rcode: 'NOERROR',
    truncated: false,
    records: [
      { kind: 'alias', owner: 'a.test', ttlS: 60, target: 'b.test' },
      { kind: 'address', owner: 'b.test', ttlS: 0, address: '192.0.2.1' },
    ],
    absentS: undefined,
  })
})

it('reads a truncated reply that ends inside a record, without its records', () => {
  const reply = decodeReply(bytes('1234 8380 0001 0009 0000 0000 0161047465737400 0001 0001 c00c 0001 00'))
  expect(reply).toMatchObject({ truncated: true, question: example, records: [] })
})

it.each([
  ['nothing', ''],
  ['half a header', '1234 8180 0001'],
  ['a query', '1234 0100 0001 0000 0000 0000 0161047465737400 0001 0001'],
  ['another opcode', '1234 a180 0001 0000 0000 0000 0161047465737400 0001 0001'],
  ['a name that points at itself', '1234 8180 0001 0000 0000 0000 c00c 0001 0001'],
  ['more records than there are', '1234 8180 0001 ffff 0000 0000 0161047465737400 0001 0001'],
])('takes %s for no reply', (_what, hex) => {
  expect(decodeReply(bytes(hex))).toBeUndefined()
})

it('survives whatever arrives', () => {
  const start = bytes('1234 8180 0001 0003 0001 0001 0161047465737400 0001 0001')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, headed) => {
      decodeReply(headed ? Uint8Array.from([...start, ...noise]) : noise)
    }),
    { numRuns: 2_000 },
  )
})
