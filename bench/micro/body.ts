/**
 * What sealing and opening cost without any socket, per security and size of batch, with the options that clients send by default.
 * CPU is user and system time of the whole process, the collector's threads included; GB is 10^9 bytes of payload.
 */
import { systemRandom } from '../../src/crypto/random.ts'
import {
  type BodyOptions,
  type BodyScheme,
  createOpener,
  createSealer,
  type Security,
} from '../../src/protocol/vmess/body/body.ts'
import { measure } from './measure.ts'

interface Row {
  readonly security: string
  readonly batch: string
  readonly sealGBs: number
  readonly sealCpu: number
  readonly openGBs: number
  readonly openCpu: number
}

const sizes: readonly (readonly [string, number])[] = [
  ['100 B', 100],
  ['1 KB', 1024],
  ['16 KB', 16_368],
  ['256 KB', 256 * 1024],
]
const unframed = { chunkStream: false, chunkMasking: false, globalPadding: false, authenticatedLength: false }
const framed = { ...unframed, chunkStream: true }
const padded = { ...framed, chunkMasking: true, globalPadding: true }
const bodies: readonly (readonly [string, Security, BodyOptions])[] = [
  ['aes-128-gcm', 'aes-128-gcm', padded],
  ['aes-128-gcm, authenticated length', 'aes-128-gcm', { ...padded, authenticatedLength: true }],
  ['chacha20-poly1305', 'chacha20-poly1305', padded],
  ['aes-128-cfb', 'aes-128-cfb', framed],
  ['none, framed', 'none', { ...framed, chunkMasking: true }],
  ['none', 'none', unframed],
]

const key = systemRandom.fill(new Uint8Array(16))
const iv = systemRandom.fill(new Uint8Array(16))

function measureBody(name: string, security: Security, options: BodyOptions, label: string, batch: number): Row {
  const scheme: BodyScheme = { security, options, transfer: 'stream', requestKey: key, requestIv: iv }
  const sealer = createSealer(scheme, { key, iv, terminate: true, random: systemRandom })
  const plain = systemRandom.fill(new Uint8Array(batch))
  const sealed = new Uint8Array(sealer.maxSealed(batch))
  const seal = measure(batch, () => sealer.seal(plain, sealed, 0))

  // An opener accepts every batch only once: it is fed a long stream, and a new one takes over at its end.
  const wire: Uint8Array[] = []
  const writer = createSealer(scheme, { key, iv, terminate: true, random: systemRandom })
  for (let total = 0; total < 16e6 && wire.length < 4000; total += batch) {
    wire.push(sealed.slice(0, writer.seal(plain, sealed, 0)))
  }
  let opener = createOpener(scheme, { key, iv })
  const into = new Uint8Array(sealed.length)
  let next = 0
  const open = measure(batch, () => {
    if (next === wire.length) {
      opener = createOpener(scheme, { key, iv })
      next = 0
    }
    opener.open(wire[next++]!, into)
  })
  return { security: name, batch: label, sealGBs: seal.rate, sealCpu: seal.cpu, openGBs: open.rate, openCpu: open.cpu }
}

const rows = bodies.flatMap(([name, security, options]) =>
  sizes.map(([label, batch]) => measureBody(name, security, options, label, batch)),
)
if (process.argv.includes('--json')) console.log(JSON.stringify(rows))
else {
  console.log(`${'body'.padEnd(34)} ${'batch'.padEnd(7)}   seal GB/s  CPU s/GB   open GB/s  CPU s/GB`)
  for (const row of rows) {
    const figures = [row.sealGBs.toFixed(2), row.sealCpu.toFixed(3), row.openGBs.toFixed(2), row.openCpu.toFixed(3)]
    console.log(`${row.security.padEnd(34)} ${row.batch.padEnd(7)} ${figures.map((f) => f.padStart(10)).join('  ')}`)
  }
}
