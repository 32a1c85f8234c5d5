import { expect, it } from 'vitest'
import { recordingIo, Tap } from '../../../test/support/inbound-io.ts'
import { ProxyError } from '../../core/errors.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { createDokodemoInbound } from './inbound.ts'

const inboundTo = (host: string, port: number) =>
  createDokodemoInbound({ target: { host, port }, networks: ['tcp'], level: 2 })

it('takes every connection to its target', async () => {
  const [end, near] = memoryPair()
  const [far, targetEnd] = memoryPair()
  const io = recordingIo({ clock: fakeClock(0), dial: () => far })
  const serving = inboundTo('example.com', 25).serve(near, io)
  const [client, target] = [new Tap(end), new Tap(targetEnd)]
  await client.send('hello')
  await target.send('220 ready')
  expect([client.text, target.text]).toEqual(['220 ready', 'hello'])
  expect(io.requests).toEqual([
    { network: 'tcp', target: { host: 'example.com', port: 25 }, user: { email: '', level: 2 } },
  ])
  end.destroy()
  await serving
  expect(far.gone).toBeDefined()
})

it.each([
  ['127.0.0.1:8443', 8443],
  ['[::1]:8443', 8443],
  ['unix:/run/x', 0],
])('takes port 0 for the port that the client came in on: %s', async (local, port) => {
  const [end, near] = memoryPair({ info: [{}, { local }] })
  const io = recordingIo({ clock: fakeClock(0), dial: () => Promise.reject(new ProxyError('DIAL_REFUSED', '')) })
  await inboundTo('example.com', 0).serve(near, io)
  expect(io.requests[0]?.target).toEqual({ host: 'example.com', port })
  expect(end.gone).toBeDefined()
})
