import { describe, expect, it } from 'vitest'
import { type ConfigInput, createServer } from '../../src/index.ts'

const config = (port: number, id: string): ConfigInput => ({
  inbounds: [{ tag: 'in', listen: '127.0.0.1', port, protocol: 'vmess', settings: { clients: [{ id }] } }],
  outbounds: [{ protocol: 'freedom' }],
})
const first = '27848739-7e62-4138-9fd3-098a63964b6b'
const second = '37848739-7e62-4138-9fd3-098a63964b6b'

describe('reload', () => {
  it('puts another configuration in force and says what changed', async () => {
    await using server = createServer(config(0, first))
    const before = await server.listen()
    expect(await server.reload({ ...config(0, second), unheardOf: 1 } as ConfigInput)).toEqual({
      inbounds: { added: [], changed: [], removed: [] },
      outbounds: { added: [], changed: [], removed: [] },
      users: { added: 1, changed: 0, removed: 1 },
      routing: false,
      restart: [],
      warnings: [expect.stringContaining('unheardOf')],
    })
    expect(server.listening).toEqual(before)
    expect(server.problems.map(({ path }) => path)).toContain('unheardOf')
  })

  it('refuses a broken one with every problem, and changes nothing', async () => {
    await using server = createServer(config(0, first))
    const before = await server.listen()
    const { problems } = server
    await expect(server.reload(config(70_000, second))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      problems: expect.arrayContaining([expect.objectContaining({ path: 'inbounds[0].port' })]),
    })
    expect(server.listening).toEqual(before)
    expect(server.problems).toBe(problems)
  })

  it('is for a server that listens', async () => {
    await using server = createServer(config(0, first))
    await expect(server.reload(config(0, second))).rejects.toMatchObject({ code: 'CONTROL_INVALID' })
  })
})
