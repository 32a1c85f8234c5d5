import { expect, it } from 'vitest'
import { forever, Life } from '../../core/lifetime.ts'
import { systemLookup } from './system-lookup.ts'

it('answers as the system does, one name after the other, without a process for each', async () => {
  const lookup = systemLookup()
  expect(await lookup('127.0.0.1', 0, forever)).toEqual(['127.0.0.1'])
  expect(await lookup('localhost', 4, forever)).toEqual(['127.0.0.1'])
  await expect(lookup('no such name', 0, forever)).rejects.toMatchObject({ code: 'DNS_FAILED' })
})

it('is ended by force when nobody waits any more, and starts again for the next name', async () => {
  const lookup = systemLookup()
  const life = new Life()
  const left = expect(lookup('no-such-name.invalid', 0, life)).rejects.toThrow('left')
  life.end(new Error('left'))
  await left
  expect(await lookup('localhost', 4, forever)).toEqual(['127.0.0.1'])
})
