import { describe, expect, it } from 'vitest'
import { uuid } from './uuid.ts'

describe('uuid', () => {
  it('is random and of version 4', () => {
    expect(uuid(undefined)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(uuid(undefined)).not.toBe(uuid(undefined))
  })

  it.each([
    ['我爱🍉老师1314', '5783a3e7-e373-51cd-8642-c83782b807c5'],
    ['hello', 'b7502f40-1152-59f2-ba10-69aeed522cdf'],
    ['example', 'feb54431-301b-52bb-a6dd-e1e93e81bb9e'],
    ['a', '35b65f33-a679-5e76-af3c-273ea349ede4'],
    ['012345678901234567890123456789', 'f419e679-3adc-5ca0-8896-f8785ab48bf9'],
  ])('of %s', (text, expected) => {
    expect(uuid(text)).toBe(expected)
  })

  it.each(['x'.repeat(31), '我'.repeat(11)])('refuses more than 30 bytes: %s', (text) => {
    expect(() => uuid(text)).toThrow('Input must be within 30 bytes.')
    expect(() => uuid(text)).toThrow(expect.objectContaining({ exitCode: 2 }))
  })

  it('refuses nothing at all', () => {
    expect(() => uuid('')).toThrow('at least one byte')
  })
})
