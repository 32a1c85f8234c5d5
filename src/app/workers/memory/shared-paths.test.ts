import { expect, it } from 'vitest'
import { createPaths, sharedPaths } from './shared-paths.ts'

function rig() {
  const memory = createPaths()
  return [sharedPaths(memory, 0), sharedPaths(memory, 1)] as const
}

it('one thread knows what another has remembered, until that is deleted', () => {
  const [a, b] = rig()
  const path = [a.mark('in'), a.mark('second')]
  a.streams.set('127.0.0.1:40000', path)
  expect(b.streams.get('127.0.0.1:40000')).toEqual([b.mark('in'), b.mark('second')])
  expect(b.datagrams.get('127.0.0.1:40000')).toBeUndefined()
  for (const other of ['127.0.0.2:40000', '127.0.0.1:40001', '[::1]:65535'])
    expect(b.streams.get(other)).toBeUndefined()
  a.listening(443)
  expect([b.isOurs(443), b.isOurs(444)]).toEqual([true, false])
  a.streams.delete('127.0.0.1:40000')
  expect(b.streams.get('127.0.0.1:40000')).toBeUndefined()
})

it('has a port of several addresses apart, and forgets what there is no room for', () => {
  const [a, b] = rig()
  const hosts = ['127.0.0.1', '127.0.0.2', '[::1]']
  for (const [i, host] of hosts.entries()) a.streams.set(`${host}:65535`, [a.mark(`in-${i}`)])
  const found = hosts.map((host) => b.streams.get(`${host}:65535`)?.[0])
  expect(found).toEqual([b.mark('in-0'), b.mark('in-1'), undefined])
})

it('keeps the latest of a long path', () => {
  const [a, b] = rig()
  const path = Array.from({ length: 40 }, (_, i) => a.mark(`in-${i}`))
  a.streams.set('127.0.0.1:1', path)
  expect(b.streams.get('127.0.0.1:1')).toEqual(path.slice(-13))
  expect(b.streams.get('127.0.0.1:0')).toBeUndefined()
  expect(b.streams.get('127.0.0.1:2')).toBeUndefined()
})

it('what a thread left behind is nobody’s', () => {
  const [a, b] = rig()
  a.streams.set('127.0.0.1:5000', [a.mark('in')])
  b.streams.set('127.0.0.1:5001', [a.mark('in')])
  a.forget(1)
  expect(a.streams.get('127.0.0.1:5000')).toBeDefined()
  expect(a.streams.get('127.0.0.1:5001')).toBeUndefined()
})
