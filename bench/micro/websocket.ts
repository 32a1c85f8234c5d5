/**
 * What WebSocket framing costs without any socket, by our codec and by the package `ws` (without its native helper), per size
 * of batch. A reader is given batches of whole frames. GB is 10^9 bytes of payload; CPU of the whole process.
 */
import type { Writable } from 'node:stream'
import * as wsPackage from 'ws'
import { systemRandom } from '../../src/crypto/random.ts'
import { FrameReader } from '../../src/protocol/websocket/frame-reader.ts'
import { FrameWriter } from '../../src/protocol/websocket/frame-writer.ts'
import { measure } from './measure.ts'

const sizes = [100, 2_048, 16_384, 65_535, 261_888]

/** The codec of the package, which its types do not show. */
const { Receiver, Sender } = wsPackage as unknown as {
  Sender: { frame(data: Buffer, options: object): Buffer[] }
  Receiver: new (options: object) => Writable
}

function ours(masked: boolean, size: number) {
  const writer = new FrameWriter(masked ? systemRandom : undefined)
  const plain = systemRandom.fill(new Uint8Array(size))
  const into = new Uint8Array(writer.room(size))
  const write = measure(size, () => writer.write(plain, into))
  const wire = into.slice(0, writer.write(plain, into))
  const reader = new FrameReader({ masked })
  const batch = new Uint8Array(wire.length)
  const read = measure(size, () => {
    batch.set(wire) // a batch comes from the kernel; it is changed by being read
    reader.read(batch)
  })
  return { write, read }
}

function theirs(masked: boolean, size: number) {
  const plain = Buffer.from(systemRandom.fill(new Uint8Array(size)))
  const options = { fin: true, mask: masked, opcode: 2, readOnly: true, rsv1: false }
  const frame = (): Buffer[] => Sender.frame(plain, options)
  const write = measure(size, frame)
  const wire = Buffer.concat(frame())
  const receiver = new Receiver({ isServer: masked, allowSynchronousEvents: true })
  receiver.on('message', () => {})
  const read = measure(size, () => receiver.write(Buffer.from(wire)))
  return { write, read }
}

console.log('direction         batch     codec   write GB/s  CPU s/GB    read GB/s  CPU s/GB')
for (const masked of [true, false]) {
  for (const size of sizes) {
    for (const [name, codec] of [
      ['ours', ours],
      ['ws', theirs],
    ] as const) {
      const { write, read } = codec(masked, size)
      const figures = [write.rate.toFixed(2), write.cpu.toFixed(3), read.rate.toFixed(2), read.cpu.toFixed(3)]
      const direction = masked ? 'client to server' : 'server to client'
      console.log(
        `${direction}  ${String(size).padStart(7)}  ${name.padEnd(6)} ${figures.map((f) => f.padStart(10)).join('  ')}`,
      )
    }
  }
}
