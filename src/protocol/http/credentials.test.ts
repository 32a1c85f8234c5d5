import { describe, expect, it } from 'vitest'
import { BasicLogins } from './credentials.ts'
import { parseRequestHead } from './head.ts'
import { bytesOf } from './text.ts'

const logins = new BasicLogins([
  { user: 'u', pass: 'p' },
  { user: 'Aladdin', pass: 'open sesame' },
  { user: 'müller', pass: 'a:b' },
  { user: '', pass: '' },
])

const find = (...values: string[]) => {
  const lines = values.map((value) => `Proxy-Authorization: ${value}\r\n`).join('')
  return logins.find(parseRequestHead(bytesOf(`GET / HTTP/1.1\r\n${lines}\r\n`)))?.user
}

describe('BasicLogins', () => {
  it.each(['u:p', 'Aladdin:open sesame', 'müller:a:b', ':'])('knows %s', (pair) => {
    expect(find(`Basic ${Buffer.from(pair).toString('base64')}`)).toBe(pair.split(':')[0])
  })

  it('takes the scheme in any case', () => expect(find('bAsIc dTpw')).toBe('u'))

  it.each([
    '',
    'dTpw',
    'Basic',
    'Basic dTpx',
    'Basic dTp',
    'Basic dTpw=',
    'Bearer dTpw',
    'Basic dTpw x',
    'Basic u:p',
  ])('refuses %j', (value) => {
    expect(find(value)).toBeUndefined()
  })

  it('refuses two headers, and none', () => {
    expect(find('Basic dTpw', 'Basic dTpw')).toBeUndefined()
    expect(find()).toBeUndefined()
  })
})
