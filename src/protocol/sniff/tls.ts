import { helloLength, serverNameOf } from './client-hello.ts'
import { usableName, type Verdict } from './model.ts'

/** Content type of handshake messages. */
const handshake = 22
const recordHead = 5

/** A ClientHello with a server name, in one record or in several. */
export function sniffTls(seen: Uint8Array): Verdict {
  const hello = helloIn(seen)
  if (hello === 'no' || hello === 'undecided') return hello
  const name = serverNameOf(hello)
  if (name === undefined || name.endsWith('.')) return 'no'
  return { protocol: 'tls', domain: usableName(name) }
}

/** The whole hello out of its records; what comes behind it does not count. */
function helloIn(seen: Uint8Array): Uint8Array | 'no' | 'undecided' {
  let hello: Uint8Array = new Uint8Array(0)
  for (let at = 0; ; ) {
    if (at < seen.length && seen[at] !== handshake) return 'no'
    if (at + 1 < seen.length && seen[at + 1] !== 3) return 'no'
    if (seen.length < at + recordHead) return 'undecided'
    const length = (seen[at + 3]! << 8) | seen[at + 4]!
    if (length === 0) return 'no'
    at += recordHead
    if (seen.length < at + length) return 'undecided'
    const record = seen.subarray(at, at + length)
    hello = hello.length === 0 ? record : joined(hello, record)
    at += length
    const whole = helloLength(hello)
    if (whole === 'no') return 'no'
    if (whole !== undefined && hello.length >= whole) return hello.subarray(0, whole)
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length)
  whole.set(a)
  whole.set(b, a.length)
  return whole
}
