/** The command's last resort in a process of its own: a library that throws while it works for a connection. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { projectRoot } from '../interop/rig/root.ts'

const program = `
import { createServer } from 'node:http'
import { createServer as listen } from 'node:net'
import { useLastResort } from './dist/cli/process/last-resort.js'
import { onBehalfOf } from './dist/net/on-behalf.js'

const log = { debug() {}, info() {}, warn() {}, error: ({ contained }, text) => console.log(JSON.stringify({ contained, text })) }
useLastResort(log)
const http = createServer((request, answer) => {
  if (request.url === '/throw') setTimeout(() => { throw new Error('late') }, 1)
  else if (request.url === '/reject') void Promise.reject(new Error('forgotten'))
  else answer.end('alive')
})
listen((socket) => {
  const peer = { remote: 'somebody', through: 'a test', destroy: (reason) => socket.destroy() }
  onBehalfOf(peer, () => http.emit('connection', socket))
}).listen(0, '127.0.0.1', function () { console.log(JSON.stringify({ port: this.address().port })) })
process.on('SIGUSR2', () => { throw new Error('nobody asked for this') })
`

let child: ChildProcess
afterEach(() => child.kill('SIGKILL'))

async function start() {
  child = spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: projectRoot })
  let [out, err] = ['', '']
  child.stdout?.on('data', (data) => (out += data))
  child.stderr?.on('data', (data) => (err += data))
  const lines = (): { port?: number; contained?: number; text?: string }[] =>
    out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
  await expect.poll(() => lines().length, { timeout: 10_000 }).toBe(1)
  return { port: lines()[0]!.port!, lines, said: () => err }
}

async function ask(port: number, path: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
  let text = ''
  socket.on('data', (data) => (text += data))
  await once(socket, 'close')
  return text
}

describe('the last resort of the command', () => {
  it('ends the connection concerned, counts, and lets everybody else live', async () => {
    const { port, lines } = await start()
    expect(await ask(port, '/throw')).toBe('')
    expect(await ask(port, '/reject')).toBe('')
    expect(await ask(port, '/')).toContain('alive')
    expect(lines().flatMap(({ contained }) => contained ?? [])).toEqual([1, 2])
  })

  it('ends the process with its reason where no connection is known', async () => {
    const { lines, said } = await start()
    child.kill('SIGUSR2')
    const [code] = await once(child, 'close')
    expect(code).toBe(1)
    expect(said()).toContain('nobody asked for this')
    expect(lines().at(-1)?.text).toContain('nobody asked for this')
  })
})
