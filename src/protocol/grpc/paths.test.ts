import { describe, expect, it } from 'vitest'
import { grpcPath, servesGrpc } from './paths.ts'

describe('where the stream of a gRPC service is', () => {
  it.each([
    ['foo', '/foo/Tun', '/foo/TunMulti'],
    ['', '//Tun', '//TunMulti'],
    ['a/b', '/a%2Fb/Tun', '/a%2Fb/TunMulti'],
    ["Ab9-_.~$&+=:@!'()*,;? ü", '/Ab9-_.~$&+=:@%21%27%28%29%2A%2C%3B%3F%20%C3%BC/Tun', undefined],
    ['/a/b/c', '/a/b/c', '/a/b/c'],
    ['/a/b/c|d', '/a/b/c', '/a/b/d'],
    ['/a b/c d', '/a%20b/c%20d', '/a%20b/c%20d'],
    ['/c', '//c', '//c'],
  ])('a client with %j asks for %s', (name, tun, multi) => {
    expect(grpcPath(name, false)).toBe(tun)
    if (multi) expect(grpcPath(name, true)).toBe(multi)
  })

  it.each([
    [
      'foo',
      ['/foo/Tun', '/foo/TunMulti', '/f%6Fo/Tun'],
      ['/foo', '/foo/Tun/', '/foo/tun', '//Tun', '/foo/Tun?a', '/%zz'],
    ],
    ['', ['//Tun', '//TunMulti', '/GunService/Tun'], ['/Tun', '/foo/Tun']],
    ['a/b', ['/a%2Fb/Tun', '/a/b/Tun', '/a%2fb/TunMulti'], ['/a/Tun']],
    ['/a/b/c', ['/a/b/c', '//a/b/c/Tun'], ['/a/b/c/Tun', '/a/b/Tun']],
    ['/a/b/c|d', ['/a/b/c', '/a/b/d'], ['/a/b/c|d', '/a/b/c%7Cd']],
    ['x y', ['/x%20y/Tun', '/x y/Tun'], []],
  ])('a server with %j takes the spellings of all peers', (name, taken, others) => {
    const serves = servesGrpc(name)
    for (const path of taken) expect([path, serves(path)]).toEqual([path, true])
    for (const path of others) expect([path, serves(path)]).toEqual([path, false])
  })
})
